import { readFileSync } from "node:fs";
import { join } from "node:path";
import pc from "picocolors";
import { UserError } from "../support/errors";
import { repositoryRoot } from "../support/paths";
import type { Check, ClusterFacts, Finding } from "./cis/check";
import { CONTROL_PLANE_CHECKS } from "./cis/control-plane-checks";
import { type Facts, parseFacts } from "./cis/facts";
import { MANUAL } from "./cis/manual";
import { NODE_CHECKS } from "./cis/node-checks";
import type { ClusterAccess } from "./cluster-access";
import type { StackNode } from "./stack";

/** Every check that the CIS Kubernetes Benchmark 1.12 scores, in its order. https://www.cisecurity.org/benchmark/kubernetes */
export const CHECKS: readonly Check[] = [...CONTROL_PLANE_CHECKS, ...NODE_CHECKS];

export interface CisResult {
    readonly id: string;
    readonly text: string;
    /** `reason`: it isn't as the benchmark wants it, which `why` explains. */
    readonly state: Finding["state"];
    readonly why?: string;
}

/** Looks at every machine, and changes nothing. @throws UserError where one can't be looked into. */
export async function cisBenchmark(cluster: ClusterAccess): Promise<CisResult[]> {
    const { nodes, podNetwork } = cluster.stack.outputs();
    const facts = await Promise.all(nodes.map(async (node) => ({ node, facts: await factsOf(cluster, node) })));
    return CHECKS.map((check) => resultOf(check, facts, { podNetwork }));
}

async function factsOf(cluster: ClusterAccess, node: StackNode): Promise<Facts> {
    const script = readFileSync(join(repositoryRoot(), "scripts/cli/cis/facts.sh"), "utf8");
    const { code, stdout, stderr } = await cluster.tryAsRoot(node, script, 40);
    if (code !== 0) {
        throw new UserError(`${node.name} can't be looked into: ${stderr.trim().split("\n").at(-1) ?? ""}`);
    }
    return parseFacts(stdout);
}

/** What a check finds on all machines that it is for: a failure of one is a failure. */
export function resultOf(
    { id, text, on, find }: Check,
    machines: readonly { readonly node: Pick<StackNode, "name" | "role">; readonly facts: Facts }[],
    cluster: ClusterFacts,
): CisResult {
    const findings = machines
        .filter(({ node }) => on === "all" || node.role === on)
        .map(({ node, facts }) => ({ node, finding: find(facts, cluster) }));
    const faults = findings.flatMap(({ node, finding }) =>
        finding.state === "fail" ? [`${node.name}: ${finding.why}`] : [],
    );
    if (faults.length > 0) {
        return { id, text, state: "fail", why: faults.join("; ") };
    }
    const reasons = findings.flatMap(({ finding }) => (finding.state === "reason" ? [finding.why] : []));
    const passed = findings.some(({ finding }) => finding.state === "pass");
    return passed || reasons.length === 0
        ? { id, text, state: "pass" }
        : { id, text, state: "reason", why: [...new Set(reasons)].join("; ") };
}

export function renderCis(results: readonly CisResult[], manual: boolean): string {
    const signs = { pass: pc.green("pass  "), fail: pc.red("fail  "), reason: pc.yellow("reason") } as const;
    const line = ({ id, text, state, why }: CisResult): string =>
        `${signs[state]}  ${id.padEnd(6)}  ${text}${why === undefined ? "" : `: ${why}`}`;
    const count = (state: CisResult["state"]): number => results.filter((each) => each.state === state).length;
    const listed = Object.entries(MANUAL).map(([id, text]) => `manual  ${id.padEnd(6)}  ${text}`);
    return [
        ...results.map(line),
        ...(manual ? listed : []),
        "",
        `${results.length} scored: ${count("pass")} pass, ${count("reason")} carry a reason, ${count("fail")} fail. ` +
            `${listed.length} are for a person to look at${manual ? "" : ": --manual lists them"}.`,
    ].join("\n");
}
