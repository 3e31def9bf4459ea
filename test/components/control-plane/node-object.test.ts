import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { nodeObject, registerNode, removeNode } from "../../../components/control-plane/node-object";
import type { ClusterSpec, NodeSpec } from "../../../components/cluster-spec/types";
import { bash, type BashResult, temporaryDirectory, wholeScript } from "../../support/bash";
import { testSpec } from "../../support/spec";

const directory = temporaryDirectory();
afterAll(directory.remove);
const path = (name: string): string => join(directory.path, name);

function node(spec: ClusterSpec, name: string): NodeSpec {
    const found = spec.nodes.find((each) => each.name === name);
    if (found === undefined) {
        throw new Error(`no node ${name}`);
    }
    return found;
}

const spec = testSpec();

describe("a Node object", () => {
    test("of a control plane keeps pods away and load balancers out", () => {
        expect(nodeObject(spec, node(spec, "cp-1"))).toEqual({
            apiVersion: "v1",
            kind: "Node",
            metadata: {
                name: "cp-1",
                labels: {
                    "node-role.kubernetes.io/control-plane": "",
                    "node.kubernetes.io/exclude-from-external-load-balancers": "",
                },
            },
            spec: {
                podCIDR: "10.99.255.0/24",
                podCIDRs: ["10.99.255.0/24"],
                taints: [{ key: "node-role.kubernetes.io/control-plane", effect: "NoSchedule" }],
            },
        });
    });

    test("of a worker takes pods", () => {
        expect(nodeObject(spec, node(spec, "worker-2"))).toMatchObject({
            metadata: { labels: { "node-role.kubernetes.io/worker": "" } },
            spec: { podCIDR: "10.99.2.0/24" },
        });
        expect(nodeObject(spec, node(spec, "worker-2"))).not.toHaveProperty("spec.taints");
    });

    test("of the only node takes pods too", () => {
        const single = testSpec({ workers: 0 });
        expect(nodeObject(single, node(single, "cp-1"))).not.toHaveProperty("spec.taints");
    });

    test("leaves the pod CIDR open while all nodes have one range: once it is set it can't be changed", () => {
        const early = testSpec({ stopAfter: "bridge" });
        expect(nodeObject(early, node(early, "worker-1"))).not.toHaveProperty("spec.podCIDR");
        const later = testSpec({ stopAfter: "pod-cidrs" });
        expect(nodeObject(later, node(later, "worker-1"))).toHaveProperty("spec.podCIDR", "10.99.1.0/24");
    });

    test("leaves the pod CIDR to the controller manager where a CNI plugin asks it", () => {
        const cni = testSpec({ network: "cni" });
        expect(nodeObject(cni, node(cni, "worker-1"))).not.toHaveProperty("spec.podCIDR");
    });
});

describe("the step on the control plane", () => {
    /** Plays kubectl: writes down what it is asked for and answers as the test wants. */
    function run(
        statements: readonly string[],
        answers: string,
        operation: "create" | "update" = "create",
    ): BashResult & { readonly asked: string[] } {
        rmSync(path("asked"), { force: true });
        for (const [name, text] of [
            ["curl", "exit 0"],
            ["hostname", "echo cp-1"],
            ["kubectl", `shift 4; echo "$*" >>${path("asked")}\n${answers}`],
        ] as const) {
            writeFileSync(path(name), `#!/bin/bash\n${text}\n`);
            chmodSync(path(name), 0o755);
        }
        const script = wholeScript({ create: statements }, true)
            .replaceAll("/run/kubelab", path("run"))
            .replaceAll("/var/lib/kubelab", path("state"));
        const result = bash(`PATH=${directory.path}:$PATH\n${script}`, [operation]);
        const asked = existsSync(path("asked")) ? readFileSync(path("asked"), "utf8").trim().split("\n") : [];
        return { ...result, asked };
    }

    const patchOf = (name: string): string => {
        const { metadata, spec: own } = nodeObject(spec, node(spec, name));
        return `patch node ${name} -p ${JSON.stringify({ metadata: { labels: metadata.labels }, spec: own })}`;
    };

    test("makes the object before the kubelet can, and waits for the node", () => {
        const answers = `case $1 in patch) exit 1 ;; create) cat >${path("object")} ;; esac`;
        const { status, asked } = run(registerNode(spec, node(spec, "cp-1")), answers);
        expect(status).toBe(0);
        expect(asked).toEqual([
            patchOf("cp-1"),
            "create --validate=false -f -",
            "wait --for=condition=Ready node/cp-1 --timeout=180s",
        ]);
        expect(JSON.parse(readFileSync(path("object"), "utf8"))).toEqual(nodeObject(spec, node(spec, "cp-1")));
    });

    test("mends an object that the kubelet has made", () => {
        const { status, asked } = run(registerNode(spec, node(spec, "cp-1")), "");
        expect(status).toBe(0);
        expect(asked).toEqual([patchOf("cp-1"), "wait --for=condition=Ready node/cp-1 --timeout=180s"]);
    });

    test("waits for the new kubelet of a node that has been one, then lets it have pods again", () => {
        const answers = `case $* in *"get node"*) printf 'v1.36.3 containerd://2.4.2 cordoned,marked' ;; esac`;
        const { status, asked } = run(registerNode(spec, node(spec, "worker-1")), answers, "update");
        expect(status).toBe(0);
        expect(asked.map((line) => /^(--\S+ )?(\w+)/.exec(line)?.[2])).toEqual([
            "patch",
            "get",
            "wait",
            "get",
            "patch",
        ]);
        expect(asked.at(-1)).toContain('"unschedulable":null');
    });

    test("mends an object that the kubelet makes just now", () => {
        const answers = `case $1 in create) touch ${path("made")}; exit 1 ;; patch) rm ${path("made")} ;; esac`;
        const { status, asked } = run(registerNode(spec, node(spec, "cp-1")), answers);
        expect(status).toBe(0);
        expect(asked.map((line) => line.split(" ")[0])).toEqual(["patch", "create", "patch", "wait"]);
    });

    test("fails with what the API server says when the object can't be mended", () => {
        const answers = 'case $1 in create) exit 1 ;; patch) echo "spec: Forbidden" >&2; exit 1 ;; esac';
        const { status, stderr } = run(registerNode(spec, node(spec, "cp-1")), answers);
        expect(status).not.toBe(0);
        expect(stderr).toBe("spec: Forbidden\n");
    });

    test("lets pods on the control plane of a cluster that has no workers any more", () => {
        const single = testSpec({ workers: 0 });
        const untaint = "taint node cp-1 node-role.kubernetes.io/control-plane:NoSchedule-";
        const { status, asked } = run(registerNode(single, node(single, "cp-1")), "");
        expect({ status, untainted: asked.includes(untaint) }).toEqual({ status: 0, untainted: true });
        const already = `case $* in "${untaint}") exit 1 ;; esac`;
        expect(run(registerNode(single, node(single, "cp-1")), already).status).toBe(0);
    });

    test("says why a node isn't Ready, and where to look", () => {
        const answers = 'case $1 in wait) exit 1 ;; get) echo "Ready=False KubeletNotReady: no network" ;; esac';
        const { status, stderr } = run(registerNode(spec, node(spec, "worker-1")), answers);
        expect(status).toBe(1);
        expect(stderr).toContain("node worker-1 is not Ready after 300 seconds; on it: journalctl -u kubelet");
    });

    test("waits longer for a node on which something still changes", () => {
        const count = path("count");
        writeFileSync(count, "");
        const answers = `case $1 in wait) [ $(wc -l <${count}) -ge 9 ] ;; get) echo x >>${count}; wc -l <${count} ;; esac`;
        const { status, asked } = run(registerNode(spec, node(spec, "worker-1")), answers);
        expect(status).toBe(0);
        expect(asked.filter((line) => line.startsWith("wait")).length).toBeGreaterThan(2);
    });

    const forgotten = '-n kube-system patch configmap known-nodes --type merge -p {"data":{"worker-2":null}}';

    test("drains a node that leaves, then takes it out of the API", () => {
        const { status, asked } = run(removeNode("worker-2"), "");
        expect(status).toBe(0);
        expect(asked).toEqual([
            "get node worker-2",
            "drain worker-2 --ignore-daemonsets --delete-emptydir-data --force --timeout=60s",
            "delete node worker-2 --ignore-not-found",
            forgotten,
        ]);
    });

    test("takes out a node whose pods don't go as well, and says so", () => {
        const { status, stderr, asked } = run(removeNode("worker-2"), "case $1 in drain) exit 1 ;; esac");
        expect(status).toBe(0);
        expect(stderr).toContain("worker-2: some pods didn't go within 60 seconds");
        expect(asked.slice(-2)).toEqual(["delete node worker-2 --ignore-not-found", forgotten]);
    });

    test("has nothing to do for a node that is gone already", () => {
        const asked = ["get node worker-2", forgotten];
        expect(run(removeNode("worker-2"), "exit 1")).toMatchObject({ status: 0, asked });
    });
});
