import { setTimeout as delay } from "node:timers/promises";

/** Seconds until a policy must take effect; an ignored one must have none for as long. */
const ENFORCED_WITHIN = 20;
const IGNORED_FOR = 3;

/** Runs kubectl in the namespace of the verification. */
export type Kubectl = (args: readonly string[], input?: string) => Promise<string>;

/** A pod that asks another one. */
export interface Conversation {
    readonly from: string;
    /** Pod, and the URL at which it answers. */
    readonly to: string;
    readonly url: string;
    /** e.g. `on one node` or `across nodes`. */
    readonly where: string;
}

/** A policy for the pods with `app: hostname`: no pod may call them, or only pods with the label `allowed: "yes"`. */
function policy(name: string, ingress: readonly object[]): string {
    return JSON.stringify({
        apiVersion: "networking.k8s.io/v1",
        kind: "NetworkPolicy",
        metadata: { name },
        spec: { podSelector: { matchLabels: { app: "hostname" } }, policyTypes: ["Ingress"], ingress },
    });
}

const DENY = policy("deny-all", []);
const ALLOW = policy("allow-labelled", [
    { from: [{ podSelector: { matchLabels: { allowed: "yes" } } }], ports: [{ port: 8080 }] },
]);

/**
 * Applies a policy that denies: calls that were answered before must fail.
 *
 * @param within seconds that the policy is given.
 * @throws Error where it still is.
 */
export async function denies(
    kubectl: Kubectl,
    conversations: readonly Conversation[],
    within = ENFORCED_WITHIN,
): Promise<string> {
    await kubectl(["apply", "-f", "-"], DENY);
    for (const conversation of conversations) {
        await eventually(kubectl, conversation, false, within);
    }
    return `denied ${conversations.map(({ where }) => where).join(", ")}`;
}

/**
 * Applies a second policy that allows pods with a label: each one in turn, while the others stay denied.
 *
 * @throws Error where a pod with the label isn't answered, or one without it is.
 */
export async function allowsLabelled(
    kubectl: Kubectl,
    conversations: readonly Conversation[],
    within = ENFORCED_WITHIN,
): Promise<string> {
    await kubectl(["apply", "-f", "-"], ALLOW);
    for (const labelled of conversations) {
        await kubectl(["label", "pod", labelled.from, "allowed=yes"]);
        await eventually(kubectl, labelled, true, within);
        for (const other of conversations.filter(({ from }) => from !== labelled.from)) {
            await eventually(kubectl, other, false, within);
        }
        await kubectl(["label", "pod", labelled.from, "allowed-"]);
        await eventually(kubectl, labelled, false, within);
    }
    return `allowed ${conversations.map(({ where }) => where).join(", ")}, denied without the label`;
}

/** Applies a policy that denies, which must have no effect. @throws Error where something does. */
export async function ignores(kubectl: Kubectl, conversations: readonly Conversation[]): Promise<string> {
    await kubectl(["apply", "-f", "-"], DENY);
    await delay(IGNORED_FOR * 1000);
    for (const conversation of conversations) {
        if (!(await answered(kubectl, conversation))) {
            throw new Error(
                `${conversation.from} isn't answered by ${conversation.to} any more (${conversation.where})`,
            );
        }
    }
    return `still answered ${conversations.map(({ where }) => where).join(", ")}`;
}

export async function removePolicies(kubectl: Kubectl): Promise<void> {
    await kubectl(["delete", "networkpolicies", "--all"]);
}

async function eventually(
    kubectl: Kubectl,
    conversation: Conversation,
    wanted: boolean,
    within: number,
): Promise<void> {
    const deadline = Date.now() + within * 1000;
    while ((await answered(kubectl, conversation)) !== wanted) {
        if (Date.now() > deadline) {
            const { from, to, where } = conversation;
            throw new Error(
                `${from} is ${wanted ? "not answered" : "still answered"} by ${to} (${where}) after ${within} seconds`,
            );
        }
        await delay(100);
    }
}

/** Whether the pod gets an answer over a new connection. @throws Error where nothing can be asked at all. */
async function answered(kubectl: Kubectl, { from, to, url }: Conversation): Promise<boolean> {
    // curl's exit codes 7 and 28: no connection, no answer in time.
    const script = `curl -sS --max-time 2 ${url}/hostname || { code=$?; [ $code = 7 ] || [ $code = 28 ] && echo no-answer; }`;
    const said = (await kubectl(["exec", from, "--", "sh", "-c", script])).trim();
    if (said !== to && said !== "no-answer") {
        throw new Error(`${from} asked ${url} and got "${said}"`);
    }
    return said === to;
}
