import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ClusterAccess } from "../cli/cluster-access";
import type { StackNode } from "../cli/stack";
import { parseSystemctlShow } from "../cli/systemctl-show";
import { shellVariables } from "../machines/shell-variables";
import { repositoryRoot } from "../support/paths";

/** Last lines of a unit's journal, or of a static pod's log; each list has the oldest first. */
export interface Log {
    readonly last: readonly string[];
    readonly errors: readonly string[];
    /** With one of the words that were asked for. */
    readonly about: readonly string[];
}

/** A part of the cluster on a machine, as its unit or its static pod. */
export interface PartFacts {
    readonly name: string;
    readonly form: "unit" | "static pod";
    /** systemd's ActiveState; a static pod is active while its process runs, else inactive. */
    readonly state: string;
    /** In the words of systemd, when the state began; absent where it isn't known. */
    readonly since?: string;
    /** systemd's Result, where it isn't success: `exit-code`, `signal`, `oom-kill` … */
    readonly result?: string;
    /** Of its last process, where it isn't 0. */
    readonly exitStatus?: number;
    readonly restarts: number;
    /** Nobody can start it. */
    readonly masked: boolean;
    readonly log: Log;
}

/** How an address takes a TCP connection. `unreachable`: there is no route, or somebody says so. */
export type Answer = "open" | "refused" | "timeout" | "unreachable";

export interface MachineFacts {
    readonly node: StackNode;
    /** Why it can't be looked into; everything else is empty then. */
    readonly problem?: string;
    readonly parts: readonly PartFacts[];
    /** CNI configuration files by path, in the order in which containerd reads them: the first one counts. */
    readonly cni: Readonly<Record<string, string>>;
    /** What `iptables-save -t filter` prints. */
    readonly filter: readonly string[];
    /** What `ip -4 route show` prints. */
    readonly routes: readonly string[];
    /** What `ip -4 -o address show` prints. */
    readonly addresses: readonly string[];
    /** `nft list table ip kube-proxy` */
    readonly nftables: readonly string[];
    /** `iptables-save -t nat` */
    readonly nat: readonly string[];
    /** /proc/net/ip_vs */
    readonly ipvs: readonly string[];
    /** By ADDRESS:PORT, how the machine itself reaches it. */
    readonly answers: Readonly<Record<string, Answer>>;
}

export interface MachineRequest {
    /** Names of units, without `.service`. */
    readonly units: readonly string[];
    /** Texts that lines of logs are looked for. */
    readonly words: readonly string[];
    /** ADDRESS:PORT */
    readonly targets: readonly string[];
}

/** Looks at a machine as root; a machine that doesn't answer has a `problem`. */
export async function readMachine(
    cluster: ClusterAccess,
    node: StackNode,
    { units, words, targets }: MachineRequest,
): Promise<MachineFacts> {
    const script = readFileSync(join(repositoryRoot(), "scripts/inspect/machine.sh"), "utf8");
    const variables = shellVariables({ units, words, targets });
    const { code, stdout, stderr } = await cluster.tryAsRoot(node, `${variables}${script}`, 40);
    const last = stderr.trim().split("\n").at(-1) ?? "";
    return code === 0
        ? parseMachine(node, stdout)
        : { ...parseMachine(node, ""), problem: last || `exit code ${code}` };
}

/** What machine.sh prints. */
export function parseMachine(node: StackNode, text: string): MachineFacts {
    const sections = sectionsOf(text);
    const lines = (name: string): readonly string[] => sections.get(name) ?? [];
    const named = (kind: string): string[] =>
        [...sections.keys()].filter((key) => key.startsWith(`${kind} `)).map((key) => key.slice(kind.length + 1));
    const logOf = (name: string): Log => ({
        last: lines(`last ${name}`),
        errors: lines(`errors ${name}`),
        about: lines(`about ${name}`),
    });
    const units = named("unit").flatMap((name) => parseUnit(name, lines(`unit ${name}`), logOf(name)));
    const pods = named("pod").map((name): PartFacts => {
        const runs = Number(lines(`pod ${name}`)[0] ?? 0) > 0;
        const state = runs ? "active" : "inactive";
        return { name, form: "static pod", state, restarts: 0, masked: false, log: logOf(name) };
    });
    return {
        node,
        parts: [...units, ...pods],
        cni: Object.fromEntries(named("cni").map((file) => [file, lines(`cni ${file}`).join("\n")])),
        filter: lines("filter"),
        routes: lines("routes"),
        addresses: lines("addresses"),
        nftables: lines("nftables"),
        nat: lines("nat"),
        ipvs: lines("ipvs"),
        answers: Object.fromEntries(named("answer").map((words) => words.split(" ") as [string, Answer])),
    };
}

function sectionsOf(text: string): Map<string, string[]> {
    const sections = new Map<string, string[]>();
    let current: string[] = [];
    for (const line of text.split("\n")) {
        if (line.startsWith("=== ")) {
            current = [];
            sections.set(line.slice(4), current);
        } else if (line.startsWith(" ")) {
            current.push(line.slice(1));
        }
    }
    return sections;
}

/** Nothing where the machine has no such unit. */
function parseUnit(name: string, lines: readonly string[], log: Log): PartFacts[] {
    const [unit = {}] = parseSystemctlShow(lines.join("\n"));
    if (unit["LoadState"] === undefined || unit["LoadState"] === "not-found") {
        return [];
    }
    const state = unit["ActiveState"] ?? "unknown";
    const since = unit[state === "active" ? "ActiveEnterTimestamp" : "InactiveEnterTimestamp"];
    const exitStatus = Number(unit["ExecMainStatus"] ?? 0);
    const result = unit["Result"];
    return [
        {
            name,
            form: "unit",
            state,
            ...(since === undefined || since === "" ? {} : { since }),
            ...(result === undefined || result === "success" ? {} : { result }),
            ...(exitStatus === 0 ? {} : { exitStatus }),
            restarts: Number(unit["NRestarts"] ?? 0),
            masked: unit["LoadState"] === "masked",
            log,
        },
    ];
}
