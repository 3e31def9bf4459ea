import { type Condition, condition, type Node } from "../inspect/snapshot";

/** What the node says of itself; undefined where it never has. */
export function nodeCondition(node: Node | undefined): Condition | undefined {
    return condition(node?.status.conditions, "Ready");
}
