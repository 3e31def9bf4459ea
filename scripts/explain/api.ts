import { done, type Explanation, failed, follow } from "./explanation";
import type { Facts } from "./facts";
import { controlPlanePart, notRunning } from "./parts";

/**
 * The chain of any resource where the API can't be read.
 *
 * @param resource `pod/web`
 * @param problem what kubectl said.
 */
export function explainApi(facts: Facts, resource: string, problem: string): Explanation {
    const etcd = controlPlanePart(facts, "etcd");
    const server = controlPlanePart(facts, "API server");
    const followed = follow([
        {
            stage: "stored by etcd",
            responsible: "etcd",
            find: () =>
                etcd.runs
                    ? done(...etcd.evidence)
                    : failed(
                          etcd.evidence,
                          notRunning("etcd", etcd, "etcd doesn't run: the API server has nowhere to read from."),
                      ),
        },
        {
            stage: "told by the API server",
            responsible: "API server",
            find: () =>
                failed(
                    [problem, ...server.evidence],
                    notRunning(
                        "API server",
                        server,
                        server.runs
                            ? `The API server runs, and can't be asked: ${problem}`
                            : "No API server runs: nobody can say what the cluster has.",
                        [{ command: "status", words: [], why: "all nodes and units" }],
                    ),
                ),
        },
    ]);
    return { resource, summary: followed.fault?.summary ?? "", ...followed };
}
