import { refuses, specOf } from "./support";

test("nothing is repaired by default", () => {
    expect(specOf({}).repair).toEqual({});
    expect(specOf({ repair: "{}" }).repair).toEqual({});
});

test("a node's text is its own and that of all", () => {
    const { repair } = specOf({ workers: 1, repair: { all: "A", "worker-1": "B", host: "C" } });
    expect(repair).toEqual({ host: "A C", "cp-1": "A", "worker-1": "A B" });
});

test("a text may be what YAML takes for a number or a truth value", () => {
    expect(specOf({ repair: { "cp-1": 3, "worker-1": true } }).repair).toEqual({ "cp-1": "3", "worker-1": "true" });
});

test("new keys are for nodes, each with its own text and that of all", () => {
    expect(specOf({ workers: 1, newKeys: { all: "A", "worker-1": "B" } }).newKeys).toEqual({
        "cp-1": "A",
        "worker-1": "A B",
    });
});

refuses([
    [
        "new keys of what has none",
        { workers: 1, newKeys: { host: "now" } },
        ['kubelab:newKeys.host: "now" is for no node of this cluster; choose one of all, cp-1, worker-1'],
    ],
    [
        "repair of a node that there isn't",
        { workers: 1, repair: { "worker-2": "now" } },
        ['kubelab:repair.worker-2: "now" is for no node of this cluster; did you mean "worker-1"?'],
    ],
    [
        "repair of something else",
        { workers: 1, repair: { everything: "now" } },
        ['kubelab:repair.everything: "now" is for no node of this cluster; choose one of all, host, cp-1, worker-1'],
    ],
    [
        "repair text that would be more than a comment",
        { repair: { "cp-1": "now\nrm -rf /" } },
        ['kubelab:repair.cp-1: "now\\nrm -rf /" has a line break or control character in it; write it on one line'],
    ],
]);
