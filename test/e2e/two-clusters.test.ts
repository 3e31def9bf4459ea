import { existsSync } from "node:fs";
import { Example } from "../support/example";
import { NO_CHANGES, story } from "../support/lab";

const CLUSTERS = ["blue", "green"] as const;

story("two clusters in one program", () => {
    let example: Example;

    const serverOf = (cluster: string): string => example.outputs(cluster).apiServer;
    const kubectl = (cluster: string, ...args: readonly string[]): string => {
        const { code, stdout, stderr } = example.kubectl(cluster, ...args);
        if (code !== 0) {
            throw new Error(`kubectl ${args.join(" ")} on ${cluster}: ${stderr}`);
        }
        return stdout;
    };

    beforeAll(() => {
        example = new Example("two-clusters", "test-two-clusters");
    });
    afterAll(() => {
        example.remove();
    }, 240_000);

    it("come up side by side, each with a node that is Ready", () => {
        example.succeed("up");
        for (const cluster of CLUSTERS) {
            const ready = "jsonpath={.items[*].status.conditions[?(@.type=='Ready')].status}";
            expect(kubectl(cluster, "get", "nodes", "-o", ready)).toBe("True");
            expect(example.ssh(cluster, "cp-1", "hostname").stdout).toBe("cp-1\n");
        }
        expect(serverOf("blue")).not.toBe(serverOf("green"));
    }, 600_000);

    it("don't trust each other's administrators", () => {
        const { code, stderr } = example.kubectl("blue", "--server", serverOf("green"), "get", "nodes");
        expect(code).not.toBe(0);
        expect(stderr).toMatch(/certificate signed by unknown authority/);
    }, 120_000);

    it("know nothing of each other's objects", () => {
        kubectl("blue", "create", "configmap", "only-blue");
        expect(example.kubectl("green", "get", "configmap", "only-blue").stderr).toContain("NotFound");
    }, 120_000);

    it("stay as they are when nothing has changed", () => {
        expect(example.succeed("up")).toMatchObject(NO_CHANGES);
    }, 240_000);

    it("go down and take everything with them", () => {
        example.succeed("destroy");
        for (const cluster of CLUSTERS) {
            expect(existsSync(`/var/lib/kubelab/${cluster}`)).toBe(false);
            expect(existsSync(`${example.files(cluster)}/kubeconfig`)).toBe(false);
        }
    }, 240_000);
});
