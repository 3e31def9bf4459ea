import { join } from "node:path";
import { Lab, story } from "../support/lab";
import { watch, type Watched } from "../support/watched";

const SCRIPT = join(__dirname, "../../scripts/lab");

story("the commands of one small lab are never silent", () => {
    let lab: Lab;
    const watched = (command: string, terminal: boolean): Promise<Watched> =>
        watch([SCRIPT, command, "--stack", lab.stack], { terminal, environment: { KUBELAB_OFFLINE: "1" } });

    beforeAll(() => {
        lab = new Lab("never-silent", "10.245.0.0/24");
        lab.configure({ workers: 0 });
    });
    afterAll(() => {
        lab.remove();
    }, 120_000);

    it("up moves a line of its terminal at least every two seconds, and says what it waits for", async () => {
        const { code, output, silence, before, slowness } = await watched("up", true);
        if (code !== 0) {
            throw new Error(output);
        }
        expect(output).toMatch(/resources {2}\d+ s {2}\d+ done; test-never-silent-\S+ \d+ s/);
        expect({ before, isSilent: silence > 2 * slowness }).toEqual({ before, isSilent: false });
    }, 600_000);

    it.each(["up", "down"])(
        "%s elsewhere writes a line at least every 20 seconds",
        async (command) => {
            const { code, output, silence, before } = await watched(command, false);
            expect(code).toBe(0);
            expect(output).not.toMatch(/[\r\u001b]/);
            expect({ before, isSilent: silence > 20 }).toEqual({ before, isSilent: false });
        },
        600_000,
    );
});
