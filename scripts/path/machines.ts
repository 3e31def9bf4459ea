import type { ClusterAccess } from "../cli/cluster-access";
import { run } from "../cli/run";
import type { StackNode } from "../cli/stack";
import { type MachineNetwork, readHostNetwork, readMachineNetwork } from "../inspect/network";
import type { NetworkObjects } from "../inspect/objects";
import { readHostRules, readMachineRules } from "../inspect/rules";
import { factsScript, parseFacts } from "./facts";
import { parseRouteAnswers, type RouteAnswer, type RouteQuery, routeScript } from "./routes";
import { crossings, parseTrace } from "./trace";
import type { Session } from "./watch";
import type { Machine } from "./world";

/** A machine that a path may lead over, and how it is reached. */
export interface Reached {
    /** Name of the node, or `here`. */
    readonly name: string;
    readonly address: string;
    readonly session: Session;
    /** Standard output of a bash script there, as root. @throws Error with what it said where it fails. */
    readonly bash: (script: string) => Promise<string>;
    readonly network: () => Promise<MachineNetwork>;
    readonly command: (commandLine: string) => string;
    readonly rules: () => ReturnType<typeof readHostRules>;
}

/** A node, by SSH. */
export function reachNode(cluster: ClusterAccess, node: StackNode): Reached {
    return {
        name: node.name,
        address: node.address,
        session: (...args) => cluster.sessionAsRoot(node, ...args),
        bash: async (script) => {
            const { code, stdout, stderr } = await cluster.tryAsRoot(node, script, 60);
            if (code !== 0) {
                throw new Error(`${node.name}: ${stderr.trim() || `exit code ${code}`}`);
            }
            return stdout;
        },
        network: () => readMachineNetwork(cluster, node),
        rules: () => readMachineRules(cluster, node),
        command: (commandLine) => `${cluster.stack.command("ssh", node.name, "--")} ${commandLine}`,
    };
}

/** This host. @param address its own in the lab's network. */
export function reachHere(address: string): Reached {
    return {
        name: "here",
        address,
        session: (script, more, onOutput, timeoutSeconds) =>
            run(["bash", "-s"], { input: [script, more], onOutput, timeoutSeconds }),
        bash: async (script) => {
            const { code, stdout, stderr } = await run(["bash", "-s"], { input: script, timeoutSeconds: 60 });
            if (code !== 0) {
                throw new Error(`this host: ${stderr.trim() || `exit code ${code}`}`);
            }
            return stdout;
        },
        network: readHostNetwork,
        rules: readHostRules,
        command: (commandLine) => commandLine,
    };
}

/** Who the machine's pods and pod network are. */
export interface Around {
    readonly objects: NetworkObjects;
    readonly podNetwork: string;
    readonly lab: string | undefined;
    readonly dscp: number;
}

/** Reads a machine after the probe. @param trace what its kernel told; undefined where it could not be watched. */
export async function readMachine(reached: Reached, trace: string | undefined, around: Around): Promise<Machine> {
    const { objects, podNetwork, lab, dscp } = around;
    const [network, rules, facts] = await Promise.all([
        reached.network(),
        reached.rules(),
        reached.bash(factsScript()),
    ]);
    return {
        name: reached.name,
        address: reached.address,
        network,
        rules,
        evidence: {
            facts: parseFacts(facts),
            podNetwork,
            pods: objects.pods.filter(({ spec }) => spec.nodeName === reached.name),
            ...(lab === undefined ? {} : { lab }),
        },
        crossings: trace === undefined ? undefined : crossings(parseTrace(trace, rules.chains), dscp),
        routes: (query) => askRoute(reached, query),
        command: reached.command,
    };
}

async function askRoute(reached: Reached, query: RouteQuery): Promise<RouteAnswer> {
    const [answer] = parseRouteAnswers(await reached.bash(routeScript([query])));
    return answer ?? { refused: "the machine did not answer" };
}
