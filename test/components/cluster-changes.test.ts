import type { RawConfig } from "../../components/cluster-spec";
import { clusterGraph, find, inputsOf } from "../support/graph";
import { type Run, type RunOptions, shortNameOf } from "../support/mocks";
import { unwrap } from "../support/secrets";
import { testSpec } from "../support/spec";

jest.setTimeout(60_000);

/** The files that a person needs to get at the nodes. */
const ON_THIS_HOST = ["client-files", "ssh-identity"];
const BASE: RawConfig = { workers: 2 };
let before: Run;

beforeAll(async () => {
    before = await clusterGraph(testSpec(BASE));
});

/** What the next `up` would do after a change of the config, by the names of the resources. */
async function changes(config: RawConfig, options: RunOptions = {}): Promise<Record<string, string[]>> {
    const after = await clusterGraph(testSpec({ ...BASE, ...config }), options);
    const inputs = (graph: Run): Map<string, string> =>
        new Map(
            graph.resources
                .filter(({ custom }) => custom)
                .map(({ urn, inputs: own }) => [urn, JSON.stringify(unwrap(own))] as const),
        );
    const [old, next] = [inputs(before), inputs(after)];
    const names = (urns: Iterable<string>): string[] => [...urns].map(shortNameOf).sort();
    return {
        created: names([...next.keys()].filter((urn) => !old.has(urn))),
        changed: names([...next.keys()].filter((urn) => old.has(urn) && old.get(urn) !== next.get(urn))),
        deleted: names([...old.keys()].filter((urn) => !next.has(urn))),
    };
}

const steps = (names: readonly string[] = []): string[] => names.filter((name) => !/-(key|request)$/.test(name));

test("nothing changes without a change", async () => {
    expect(await changes({})).toEqual({ created: [], changed: [], deleted: [] });
});

test("one more worker changes just the routes and the rights of nodes, and the list of nodes on this host", async () => {
    const { created, changed, deleted } = await changes({ workers: 3 });
    expect(changed).toEqual(
        [...ON_THIS_HOST, "cp-1-role-bindings", "cp-1-kubenet", "worker-1-kubenet", "worker-2-kubenet"].sort(),
    );
    expect(deleted).toEqual([]);
    expect((created ?? []).filter((name) => !name.startsWith("worker-3"))).toEqual([]);
    expect(new Set(steps(created))).toEqual(
        new Set([
            ...["worker-3", "worker-3-ready", "worker-3-node-parts", "worker-3-kubenet", "worker-3-node"],
            ...["worker-3-containerd", "worker-3-kubelet-token", "worker-3-kubelet-secrets", "worker-3-kubelet"],
            ...["worker-3-keys", "worker-3-kube-proxy", "worker-3-drain"],
        ]),
    );
});

test("one worker less leaves the certificates, services and pod CIDRs of all others as they are", async () => {
    const { created, changed, deleted } = await changes({ workers: 1 });
    expect(created).toEqual([]);
    expect(changed).toEqual([...ON_THIS_HOST, "cp-1-role-bindings", "cp-1-kubenet", "worker-1-kubenet"].sort());
    expect((deleted ?? []).filter((name) => !name.startsWith("worker-2"))).toEqual([]);
});

test("a flag of the API server changes its own step and nothing else", async () => {
    expect(await changes({ flags: { "kube-apiserver": { v: "4" } } })).toEqual({
        created: [],
        changed: ["cp-1-kube-apiserver"],
        deleted: [],
    });
});

test("snapshots of etcd are one more step of the control plane", async () => {
    const { created, changed, deleted } = await changes({ backup: { every: "6h" } });
    expect({ created, changed, deleted }).toEqual({ created: ["cp-1-etcd-backup"], changed: [], deleted: [] });
});

test("a flag of the kubelets changes one step per node", async () => {
    const { changed } = await changes({ flags: { kubelet: { v: "4" } } });
    expect(changed).toEqual(["cp-1-kubelet", "worker-1-kubelet", "worker-2-kubelet"]);
});

test("the proxy's mode changes one step per node", async () => {
    const { changed } = await changes({ proxyMode: "iptables" });
    expect(changed).toEqual(["cp-1-kube-proxy", "worker-1-kube-proxy", "worker-2-kube-proxy"]);
});

test("DNS that is switched off takes its objects with it", async () => {
    expect(await changes({ components: { dns: false } })).toEqual({ created: [], changed: [], deleted: ["coredns"] });
});

const STEPS_OF_WORKER_1 = [
    "worker-1-containerd",
    "worker-1-kube-proxy",
    "worker-1-kubelet",
    "worker-1-kubelet-secrets",
    "worker-1-kubelet-token",
    "worker-1-kubenet",
    "worker-1-node",
    "worker-1-node-parts",
    "worker-1-ready",
];

/** The step that makes the machine's keys, and the certificates of other keys; their names are those of the processes' steps. */
const KEYS_OF_WORKER_1 = ["worker-1-keys"];

test("a machine that was replaced gets every step again, and no other machine any", async () => {
    expect(await changes({}, { replaced: ["worker-1"] })).toEqual({
        created: [],
        changed: [...STEPS_OF_WORKER_1, ...KEYS_OF_WORKER_1].sort(),
        deleted: [],
    });
});

test("a machine's own settings replace it: its addresses are triggers", async () => {
    const after = await clusterGraph(testSpec({ ...BASE, local: { network: "10.9.0.0/24" } }));
    expect(inputsOf(find(after, "command:local:Command", "cp-1")).triggers).toEqual(["10.9.0.11/24", "10.9.0.10/24"]);
    expect(inputsOf(find(after, "command:local:Command", "worker-1")).triggers).toEqual(["10.9.0.21/24"]);
});

describe("kubelab:repair", () => {
    test("of a worker runs all that is on it again, and its node object's step, as updates", async () => {
        const { created, changed, deleted } = await changes({ repair: { "worker-1": "now" } });
        expect({ created, deleted }).toEqual({ created: [], deleted: [] });
        expect(changed).toEqual(["worker-1", ...STEPS_OF_WORKER_1]);
    });

    test("of the host runs its network's step again and nothing else", async () => {
        expect((await changes({ repair: { host: "now" } }))["changed"]).toEqual(["network"]);
    });

    test("of all runs every step again", async () => {
        const after = await clusterGraph(testSpec({ ...BASE, repair: { all: "now" } }));
        const without = after.resources
            .filter(({ type, name }) => type.startsWith("command:") && !ON_THIS_HOST.includes(name) && name !== "parts")
            // Nor are keys made anew, so that a preview needn't take all certificates for other ones.
            .filter(({ name }) => !name.endsWith("-keys"))
            .filter(({ inputs }) => !String(unwrap(inputs["stdin"])).includes("now"));
        expect(without.map(({ name }) => name)).toEqual([]);
    });

    test("never replaces a step: what triggers it is known while its machine stays", async () => {
        const triggers = (graph: Run): unknown[] =>
            graph.resources.map(({ inputs }) => unwrap(inputs["triggers"] ?? null));
        const after = await clusterGraph(testSpec({ ...BASE, repair: { all: "now" } }));
        expect(triggers(after)).toEqual(triggers(before));
    });
});

describe("kubelab:newKeys", () => {
    test("of a worker makes its keys anew, with certificates for them, and changes no other machine", async () => {
        const { created, changed, deleted } = await changes({ newKeys: { "worker-1": "now" } });
        expect({ created, deleted }).toEqual({ created: [], deleted: [] });
        expect(new Set(changed)).toEqual(
            new Set([
                ...["worker-1-keys", "worker-1-kube-proxy"],
                // Its kubelet makes its own, and asks for certificates with another token.
                ...["worker-1-kubelet-token", "worker-1-kubelet-secrets", "worker-1-node"],
            ]),
        );
    });
});
