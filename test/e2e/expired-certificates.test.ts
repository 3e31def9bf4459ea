import { join } from "node:path";
import { HostBefore } from "../support/host-state";
import { eventually, Lab, NO_CHANGES, story } from "../support/lab";

const YEAR = 365 * 24 * 3600;
/** Seconds until the certificates of the first `up` end, from before it. */
const VALID = 150;

story("a cluster whose certificates have all expired", () => {
    let lab: Lab;
    let host: HostBefore;

    beforeAll(() => {
        lab = new Lab("expired", "10.249.10.0/24");
        lab.configure({ workers: 1 });
        host = new HostBefore(/test-expired|10\.249\.10\./);
    });
    afterAll(() => {
        lab.remove();
    }, 120_000);

    it("comes up while they are valid", () => {
        const clock = {
            NODE_OPTIONS: `--require ${join(__dirname, "../support/earlier-clock.cjs")}`,
            KUBELAB_TEST_CLOCK_BEHIND: String((YEAR - VALID) * 1000),
        };
        lab.succeedWith(clock, "up");
        lab.kubectl("create", "configmap", "kept", "--from-literal=word=kept");
    }, 300_000);

    it("says which ones have ended, and that it isn't well", async () => {
        await eventually(VALID + 60, () => {
            const { code, stderr } = lab.run("kubectl", ["get", "nodes", "--request-timeout=5s"], 30);
            expect(`${code} ${stderr}`).toMatch(/^1 .*certificate has expired/s);
        });
        const { code, stdout } = lab.run("status", [], 120);
        expect(code).toBe(1);
        expect(stdout).toMatch(/expired: \/etc\/kubernetes\/kube-apiserver\/\S+\.crt on /);
        expect(stdout).toMatch(/expired: \/etc\/etcd\/server\.crt on /);
    }, 400_000);

    it("is mended by one repair, with all that was in it", () => {
        expect(lab.succeed("repair", [], 300)).toMatch(/put back: cp-1: \/etc\/etcd\/server\.crt: expired on /);
        expect(lab.kubectl("get", "configmap", "kept", "-o", "jsonpath={.data.word}")).toBe("kept");
        expect(lab.run("status", [], 120).code).toBe(0);
        expect(lab.upChanges()).toEqual(NO_CHANGES);
        lab.succeed("verify", [], 300);
    }, 600_000);

    it("leaves nothing behind", async () => {
        lab.down();
        await host.expectAsBefore();
    }, 120_000);
});
