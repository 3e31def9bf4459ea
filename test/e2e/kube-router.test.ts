import { existsSync } from "node:fs";
import { join } from "node:path";
import { partsPath } from "../../scripts/parts/paths";
import { listDigests, readParts } from "../../scripts/parts/store";
import { pinnedVersions } from "../../scripts/parts/versions";
import { eventually, Lab, NO_CHANGES, noLabsHere } from "../support/lab";

const versions = pinnedVersions();
const IMAGE = "images/kube-router.tar";

/** Parts in the cache of the pinned versions that have kube-router's image, which isn't built here: docs/parts.md says how to get it. */
const digest = listDigests().find((each) => {
    const manifest = readParts(each)?.manifest;
    const same = Object.entries(versions).every(([part, version]) => manifest?.versions[part] === version);
    return same && existsSync(join(partsPath(each), IMAGE));
});
const reason =
    noLabsHere() ?? (digest === undefined ? `no parts in the cache have kube-router's image, ${IMAGE}` : undefined);
const story = reason === undefined ? describe : describe.skip;

story(`a cluster with kube-router${reason === undefined ? "" : ` (skipped: ${reason})`}`, () => {
    let lab: Lab;

    beforeAll(() => {
        lab = new Lab("kube-router", "10.233.11.0/24");
        const parts = { source: "directory", directory: partsPath(digest ?? "") };
        lab.configure({ network: "cni", serviceProxy: "kube-proxy", parts });
    }, 120_000);
    afterAll(() => {
        lab.remove();
    }, 120_000);

    const bgpRoutes = (node: string): string[] =>
        lab
            .ssh(node, "ip -4 -o route show proto 17")
            .trim()
            .split("\n")
            .filter((line) => line !== "");

    it("comes up from nothing, every node with a BGP route to every other", () => {
        const { seconds } = lab.up();
        console.log(`up from no machines: ${seconds.toFixed(1)} s`);
        for (const node of ["cp-1", "worker-1", "worker-2"]) {
            expect(bgpRoutes(node)).toHaveLength(2);
        }
    }, 600_000);

    it("does what it is for: policies that deny and allow, on one node and across nodes", () => {
        const { stdout, stderr } = lab.run("verify");
        expect(`${stdout}${stderr}`).toMatch(/all \d+ checks passed/);
        expect(stdout).toMatch(/✓ a NetworkPolicy denies .* denied on one node, across nodes/);
        expect(stdout).toMatch(/✓ a NetworkPolicy allows pods with a label .* allowed on one node, across nodes/);
        expect(stdout).toMatch(/✓ BGP sessions between all nodes .* 3 of 3 nodes with 2 sessions each/);
    }, 300_000);

    it("is not touched by a second up", () => {
        expect(lab.upChanges()).toEqual(NO_CHANGES);
    }, 120_000);

    it("comes back by itself when a node reboots", async () => {
        const boot = lab.ssh("worker-2", "systemctl show -P UserspaceTimestampMonotonic");
        lab.run("ssh", ["worker-2", "--", "systemctl reboot"], 30);
        await eventually(60, () => {
            expect(lab.ssh("worker-2", "systemctl show -P UserspaceTimestampMonotonic")).not.toBe(boot);
        });
        await eventually(90, () => expect(bgpRoutes("worker-2")).toHaveLength(2));
        await eventually(60, () => expect(lab.kubectl("get", "node", "worker-2", "--no-headers")).toMatch(/ Ready /));
        const { stdout, stderr } = lab.run("verify");
        expect(`${stdout}${stderr}`).toMatch(/all \d+ checks passed/);
    }, 300_000);

    it("loses a worker, and the others their routes to it", async () => {
        lab.up({ workers: 1 });
        await eventually(60, () => expect(bgpRoutes("cp-1")).toHaveLength(1));
    }, 300_000);

    it("goes down", () => {
        lab.down();
    }, 120_000);
});
