import { allowsLabelled, type Conversation, denies, ignores, type Kubectl } from "../../../scripts/cli/verify-policies";

const ACROSS: Conversation = { from: "probe-1", to: "hostname-2", url: "http://10.99.2.3:8080", where: "across nodes" };
const SAME: Conversation = { ...ACROSS, from: "probe-2", where: "on one node" };

interface Network {
    /** Whether policies mean anything there. */
    readonly enforces: boolean;
    /** A pod that is always let in, whatever its labels. */
    readonly leaks?: string;
    /** What the pod that is asked says. */
    readonly answer?: string;
}

/** kubectl on a cluster that has nothing but these pods, their labels and the policies that were applied. */
function clusterWith({ enforces, leaks, answer = "hostname-2" }: Network): Kubectl {
    const policies = new Set<string>();
    const labelled = new Set<string>();
    return ([verb, ...args], input) => {
        if (verb === "apply") {
            policies.add((JSON.parse(input ?? "") as { metadata: { name: string } }).metadata.name);
        } else if (verb === "label") {
            const [, pod = "", change] = args;
            labelled[change === "allowed-" ? "delete" : "add"](pod);
        } else if (verb === "exec") {
            const pod = args[0] ?? "";
            const open = policies.has("allow-labelled") && labelled.has(pod);
            const reached = !enforces || policies.size === 0 || open || pod === leaks;
            return Promise.resolve(reached ? `${answer}\n` : "no-answer\n");
        }
        return Promise.resolve("");
    };
}

jest.setTimeout(60_000);

test("policies that are enforced deny everyone and allow those with the label", async () => {
    const kubectl = clusterWith({ enforces: true });
    expect(await denies(kubectl, [SAME, ACROSS])).toBe("denied on one node, across nodes");
    expect(await allowsLabelled(kubectl, [SAME, ACROSS])).toBe(
        "allowed on one node, across nodes, denied without the label",
    );
});

test("policies that nobody reads change nothing, and that isn't taken for enforcement", async () => {
    const kubectl = clusterWith({ enforces: false });
    expect(await ignores(kubectl, [SAME, ACROSS])).toBe("still answered on one node, across nodes");
    await expect(denies(kubectl, [SAME, ACROSS], 0)).rejects.toThrow(
        "probe-2 is still answered by hostname-2 (on one node)",
    );
});

test("a pod that gets through without the label is told of", async () => {
    const kubectl = clusterWith({ enforces: true, leaks: "probe-1" });
    await expect(denies(kubectl, [SAME, ACROSS], 0)).rejects.toThrow(
        "probe-1 is still answered by hostname-2 (across nodes)",
    );
    await expect(allowsLabelled(kubectl, [SAME, ACROSS], 0)).rejects.toThrow("probe-1 is still answered");
});

test("enforcement where none was expected, and an answer from somebody else, are told of", async () => {
    await expect(ignores(clusterWith({ enforces: true }), [SAME])).rejects.toThrow(
        "isn't answered by hostname-2 any more",
    );
    await expect(denies(clusterWith({ enforces: true, leaks: "probe-1", answer: "nginx" }), [ACROSS])).rejects.toThrow(
        'asked http://10.99.2.3:8080 and got "nginx"',
    );
});
