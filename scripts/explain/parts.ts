import type { MachineFacts, PartFacts } from "../inspect/machine";
import type { Fault, Next, Responsible, Said } from "./explanation";
import { type Facts, machineOf, partOf } from "./facts";

/** Programs of the control plane, as their units and static pods are called. */
export const PROGRAMS = {
    etcd: "etcd",
    "API server": "kube-apiserver",
    "controller manager": "kube-controller-manager",
    scheduler: "kube-scheduler",
} as const;
export type ControlPlanePart = keyof typeof PROGRAMS;

/** The settings of `kubelab:components` that leave a part out. */
const SETTINGS: Partial<Record<string, string>> = {
    "kube-scheduler": "scheduler",
    "kube-controller-manager": "controllerManager",
    "kube-proxy": "kubeProxy",
};

/** What is known of a part on the machines that should have it. */
export interface PartState {
    /** On one of them at least. */
    readonly runs: boolean;
    readonly nodes: readonly string[];
    /** A line for each machine. */
    readonly evidence: readonly string[];
    readonly said: readonly Said[];
    readonly next: readonly Next[];
}

/** A part of the control plane: one that runs is enough. */
export function controlPlanePart(facts: Facts, part: ControlPlanePart): PartState {
    const members = facts.machines.filter(({ node }) => node.role === "control-plane");
    return partState(members, PROGRAMS[part]);
}

/** A part of one node. */
export function nodePart(facts: Facts, node: string, program: string): PartState {
    const machine = machineOf(facts, node);
    return machine === undefined
        ? { runs: false, nodes: [node], evidence: [`the stack has no machine ${node}`], said: [], next: [] }
        : partState([machine], program);
}

function partState(machines: readonly MachineFacts[], program: string): PartState {
    const found = machines.map((machine) => ({ machine, part: partOf(machine, program) }));
    return {
        runs: found.some(({ part }) => part?.state === "active"),
        nodes: machines.map(({ node }) => node.name),
        evidence: found.map(({ machine, part }) => describePart(machine, program, part)),
        said: found.flatMap(({ machine, part }) => (part === undefined ? [] : saidBy(machine, part))),
        next: found.flatMap(({ machine, part }) => nextOf(machine, program, part)),
    };
}

/** `kube-scheduler on cp-1: inactive since Sun 2026-11-29 02:49:08 UTC` */
function describePart({ node, problem }: MachineFacts, program: string, part: PartFacts | undefined): string {
    if (problem !== undefined) {
        return `${node.name} can't be looked into: ${problem}`;
    }
    if (part === undefined) {
        return `no ${program} on ${node.name}: neither a unit nor a static pod`;
    }
    const { form, state, since, result, exitStatus, restarts, masked } = part;
    const more = [
        ...(masked ? ["masked"] : []),
        ...(result === undefined ? [] : [`result ${result}`]),
        ...(exitStatus === undefined || state === "active" ? [] : [`exit status ${exitStatus}`]),
        ...(restarts > 0 ? [`restarted ${restarts} times`] : []),
    ];
    const kind = form === "unit" ? "" : " (static pod)";
    return `${program}${kind} on ${node.name}: ${[`${state}${since === undefined ? "" : ` since ${since}`}`, ...more].join(", ")}`;
}

/** klog's and containerd's warnings and errors. */
const SERIOUS = /(?:^|[\s:])[WEF]\d{4} |level=(?:warning|error|fatal)/;

/** Lines that say most: errors of what has failed, then those about the object, then the last ones. */
export function saidBy({ node }: MachineFacts, { name, log, state, result }: PartFacts): Said[] {
    const wasStopped = state === "inactive" && result === undefined;
    const broken = state !== "active" && !wasStopped ? log.errors.slice(-2) : [];
    const warnings = log.about.filter((line) => SERIOUS.test(line));
    const chosen = wasStopped ? [] : warnings.length > 0 ? warnings.slice(-2) : log.about.slice(-2);
    const lines = [
        ...new Set([...broken, ...chosen, ...(chosen.length > 0 && state === "active" ? [] : log.last.slice(-2))]),
    ].map(plainLine);
    return lines.length === 0 ? [] : [{ who: `${name} on ${node.name}`, lines }];
}

/** Without what the journal and the CRI put before a program's own words, but for the time where it says none. */
export function plainLine(line: string): string {
    return line
        .replace(/^(\S+T\S+) \S+ [^\s:[]+(?:\[\d+\])?: /, "$1 ")
        .replace(/^(\S+T[\d:]+)\.\d+Z std(?:out|err) [FP] /, "$1Z ")
        .replace(/^\S+T\S+ (?=[IWEF]\d{4} |time=")/, "");
}

function nextOf({ node, problem }: MachineFacts, program: string, part: PartFacts | undefined): Next[] {
    const { name } = node;
    if (problem !== undefined) {
        return [{ command: "status", words: [], why: "which machines answer" }];
    }
    if (part === undefined) {
        const setting = SETTINGS[program];
        return setting === undefined
            ? [{ command: "status", words: [], why: "which units each machine has" }]
            : [
                  {
                      command: "up",
                      words: [],
                      why: `brings it up, unless kubelab:components.${setting} or kubelab:stopAfter of the stack leaves it out`,
                  },
              ];
    }
    if (part.form === "static pod") {
        return [
            {
                command: "ssh",
                words: [name, "--", `cat /etc/kubernetes/manifests/${program}.yaml`],
                why: "its manifest",
            },
            { command: "kubectl", words: ["-n", "kube-system", "logs", `${program}-${name}`], why: "its log" },
        ];
    }
    return [
        { command: "ssh", words: [name, "--", `systemctl status ${program}`], why: "its state" },
        { command: "ssh", words: [name, "--", `journalctl -u ${program} -n 50`], why: "its log" },
        ...(part.state === "active"
            ? []
            : [{ command: "repair", words: [name], why: "starts what `up` left running, and puts drift back" }]),
    ];
}

/** A fault of a part that doesn't run. */
export function notRunning(
    responsible: Responsible,
    state: PartState,
    summary: string,
    more: readonly Next[] = [],
): Fault {
    return { responsible, nodes: state.nodes, summary, said: state.said, next: [...state.next, ...more] };
}
