import { articleLab } from "../support/article";
import { Lab, noLabsHere } from "../support/lab";

const reason = noLabsHere();
const story = reason === undefined ? describe : describe.skip;

story(`scripts/lab tour${reason === undefined ? "" : ` (skipped: ${reason})`}`, () => {
    it.each([
        ["a kubenet cluster of two nodes", "kubenet", { workers: 1 }, "10.234.6.0/24"],
        ["a kubelet with an API server as its pod", "minimum-viable", {}, "10.234.7.0/24"],
    ])(
        "walks through the bring-up of %s, and everything shows what it says",
        (_title, preset, changes, network) => {
            const lab: Lab = articleLab(preset, network, `tour-${preset}`);
            try {
                lab.configure(changes);
                const { code, stdout, stderr } = lab.run("tour", ["--yes"]);
                expect(code === 0 ? "" : `${stdout}\n${stderr}`).toBe("");
                expect(stdout).toContain("The tour is complete.");
                const again = lab.run("tour", ["--yes"]);
                expect(again.code).toBe(1);
                expect(again.stderr).toMatch(/is up: run 'scripts\/lab down/);
            } finally {
                lab.remove();
            }
        },
        600_000,
    );
});
