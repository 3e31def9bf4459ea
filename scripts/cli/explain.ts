import { explain } from "../explain";
import { explainApi } from "../explain/api";
import type { Explanation } from "../explain/explanation";
import { gather, gatherMachines } from "../explain/gather";
import { renderExplanation } from "../explain/render";
import { type Asked, findResource, parseResource } from "../explain/resource";
import { readSnapshot, type Explained, type Snapshot } from "../inspect/snapshot";
import type { ClusterAccess } from "./cluster-access";

export interface ExplainOptions {
    readonly namespace: string;
    readonly json?: boolean;
}

/**
 * Explains a resource by what the API, the machines and the logs have of it.
 *
 * @param words `pod/web`, or `pod` and `web`.
 * @throws UserError where there is no such resource.
 */
export async function explainResource(
    cluster: ClusterAccess,
    words: readonly string[],
    namespace: string,
): Promise<Explanation> {
    const asked = parseResource(words, namespace);
    const snapshot = await readSnapshot(cluster).catch((error: unknown) => (error instanceof Error ? error : Error()));
    if (snapshot instanceof Error) {
        return explainApi(await gatherMachines(cluster), words.join("/"), snapshot.message.split(" | ").at(-1) ?? "");
    }
    const resource = unregisteredNode(cluster, asked, snapshot) ?? findResource(asked, snapshot);
    return explain(await gather(cluster, snapshot, resource), resource);
}

/** A node of the stack that the API doesn't know. */
function unregisteredNode({ stack }: ClusterAccess, asked: Asked, snapshot: Snapshot): Explained | undefined {
    const { kind, name } = asked;
    const known = snapshot.nodes.some(({ metadata }) => metadata.name === name);
    return kind === "Node" && !known && stack.outputs().nodes.some((node) => node.name === name)
        ? { kind, metadata: { name, uid: "", creationTimestamp: "" }, spec: {}, status: {} }
        : undefined;
}

export function printExplanation({ stack }: ClusterAccess, explanation: Explanation, json: boolean): void {
    const command = (name: string, ...words: string[]): string => stack.command(name, ...words);
    console.log(json ? JSON.stringify({ stack: stack.name, ...explanation }) : renderExplanation(explanation, command));
}
