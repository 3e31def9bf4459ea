import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Hop, Path } from "../../scripts/path/types";
import { Lab } from "./lab";

/** A lab with pods to go between, and the paths that `scripts/lab path` finds there. */
export class PathLab extends Lab {
    /** Pods `client` and `near` on worker-1, `far` on worker-2; a service `web` of the last; each answers HTTP on port 80. */
    createPods(): void {
        const pod = (name: string, node: string): object => ({
            apiVersion: "v1",
            kind: "Pod",
            metadata: { name, labels: { app: name } },
            spec: {
                nodeName: node,
                terminationGracePeriodSeconds: 0,
                containers: [
                    { name: "web", image: "nginx", imagePullPolicy: "IfNotPresent", ports: [{ containerPort: 80 }] },
                ],
            },
        });
        const service = {
            apiVersion: "v1",
            kind: "Service",
            metadata: { name: "web" },
            spec: { type: "NodePort", selector: { app: "far" }, ports: [{ port: 80, nodePort: NODE_PORT }] },
        };
        const items = [pod("client", "worker-1"), pod("near", "worker-1"), pod("far", "worker-2"), service];
        this.apply({ apiVersion: "v1", kind: "List", items });
        this.kubectl("wait", "pod", "client", "near", "far", "--for=condition=Ready", "--timeout=120s");
    }

    /** Creates objects, or changes them. */
    apply(object: object): void {
        const directory = mkdtempSync(join(tmpdir(), "kubelab-path-test-"));
        try {
            writeFileSync(join(directory, "objects.json"), JSON.stringify(object));
            this.kubectl("apply", "-f", join(directory, "objects.json"));
        } finally {
            rmSync(directory, { recursive: true });
        }
    }

    /** What `scripts/lab path FROM TO --json` prints. */
    path(from: string, to: string, ...options: readonly string[]): Path {
        const { stdout, stderr } = this.run("path", ["--json", ...options, "--", from, to], 120);
        try {
            return JSON.parse(stdout) as Path;
        } catch {
            throw new Error(`path ${from} ${to} printed no JSON:\n${stdout}\n${stderr}`);
        }
    }

    /** A whole path, or a failed test with the text of what was found. */
    wholePath(from: string, to: string, ...options: readonly string[]): readonly Hop[] {
        const path = this.path(from, to, ...options);
        if (!path.whole) {
            throw new Error(`${from} → ${to} isn't whole:\n${JSON.stringify(path, undefined, 2)}`);
        }
        return path.hops;
    }

    /** The hop where a path is lost. */
    lostHop(from: string, to: string, ...options: readonly string[]): Hop {
        const path = this.path(from, to, ...options);
        const hop = path.hops.find(({ lost }) => lost !== undefined);
        if (path.whole || hop === undefined) {
            throw new Error(`${from} → ${to} is lost nowhere:\n${JSON.stringify(path, undefined, 2)}`);
        }
        return hop;
    }

    /** `machine place name` of each hop, in order. */
    static way(hops: readonly Hop[], direction?: Hop["direction"]): string[] {
        return hops
            .filter((hop) => direction === undefined || hop.direction === direction)
            .map(({ machine, place, name }) => `${machine} ${place} ${name}`);
    }

    /** Tables and processes that a path would have left on a machine. */
    leftOn(node: string): string {
        const look =
            "nft list tables | grep kubelab-pat[h]; pgrep -af 'nft .*--interactiv[e]'; ls -d /tmp/kubelab-path.* /tmp/kubelab-path-* 2>/dev/null";
        return this.ssh(node, `{ ${look}; } || true`).trim();
    }
}

export const NODE_PORT = 30_080;
