import { join } from "node:path";
import { openParts } from "../../scripts/parts";
import { readRecipe } from "../../scripts/parts/recipe";
import { temporaryDirectory } from "../support/bash";
import { builtKubectl } from "../support/built-parts";
import { EVERYDAY } from "../support/everyday-kubectl";
import { HostBefore } from "../support/host-state";
import { Kubectl } from "../support/kubectl";
import { Lab, story } from "../support/lab";

const SERVER = readRecipe().versions["kubernetes"] ?? "";
const minorOf = (version: string): number => Number(version.split(".")[1]);

/** Of the minor versions around the pinned one. */
const OLDER = "1.35.4";
const NEWER = "1.37.2";

/** https://kubernetes.io/releases/version-skew-policy/#kubectl */
story("kubectl of one minor version up and down", () => {
    let lab: Lab;
    let host: HostBefore;

    beforeAll(() => {
        lab = new Lab("kubectl-skew", "10.249.18.0/24");
        host = new HostBefore(/test-kubectl-skew|10\.249\.18\./);
        lab.up();
    }, 600_000);
    afterAll(() => {
        lab.remove();
    }, 120_000);

    it("is one minor version older and newer than the API server", () => {
        expect([minorOf(OLDER), minorOf(NEWER)]).toEqual([minorOf(SERVER) - 1, minorOf(SERVER) + 1]);
    });

    describe.each([SERVER, OLDER, NEWER])("kubectl %s", (version) => {
        const directory = temporaryDirectory();
        let kubectl: Kubectl;

        beforeAll(async () => {
            const usual = join(openParts(lab.outputs().parts).path, "bin/kubectl");
            const program = version === SERVER ? usual : await builtKubectl(version);
            kubectl = new Kubectl(program, `${lab.directory}/kubeconfig`, `kubectl-1-${minorOf(version)}`);
        }, 900_000);
        afterAll(() => {
            kubectl.endAll();
            directory.remove();
        });

        it("says both versions, and that they go together", () => {
            const { code, stdout, stderr } = kubectl.try("version");
            expect(stdout).toContain(`Client Version: v${version}`);
            expect(stdout).toContain(`Server Version: v${SERVER}`);
            expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
        });

        for (const { does, check } of EVERYDAY) {
            it(
                does,
                async () => {
                    await check(kubectl, directory.path);
                },
                300_000,
            );
        }
    });

    it("leaves nothing behind", async () => {
        lab.down();
        await host.expectAsBefore();
    }, 120_000);
});
