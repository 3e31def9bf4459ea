import type { EngineEvent } from "../engine/event";

/** A stretch of the bring-up, by the resources that belong to it. */
interface Phase {
    readonly name: string;
    readonly includes: (event: EngineEvent) => boolean;
}

const named = (pattern: RegExp) => (event: EngineEvent) =>
    event.type.startsWith("command:") && pattern.test(event.name);

/** In bring-up order; they overlap, since everything that can start at once does. */
const PHASES: readonly Phase[] = [
    { name: "keys and certificates", includes: ({ type }) => /^(tls|random):/.test(type) },
    { name: "parts in the cache", includes: named(/^parts$/) },
    {
        name: "machines answer",
        includes: (event) =>
            event.type.startsWith("aws:") || named(/-network$|-facts$|-ready$|^(cp|worker)-\d+$|^ssh-identity$/)(event),
    },
    { name: "parts on the machines", includes: named(/-parts$/) },
    { name: "etcd", includes: named(/-etcd(-secrets)?$/) },
    { name: "API server", includes: named(/-kube-apiserver(-secrets)?$|-super-admin$/) },
    { name: "controller manager, scheduler", includes: named(/-kube-(controller-manager|scheduler)(-secrets)?$/) },
    { name: "pod network", includes: named(/-kubenet$/) },
    { name: "containerd, kubelet, kube-proxy", includes: named(/-(containerd|kubelet|kube-proxy)(-secrets)?$/) },
    { name: "nodes Ready", includes: named(/-node$/) },
    { name: "add-ons", includes: named(/^(coredns|role-bindings)$/) },
];

export interface PhaseTime {
    readonly phase: string;
    /** Seconds since the command was started: Node.js and the program have to be loaded first. */
    readonly from: number;
    readonly to: number;
}

/** Collects when each phase's first resource started and its last one was done. */
export class PhaseClock {
    private readonly times = new Map<string, { from: number; to: number }>();

    record(event: EngineEvent): void {
        const phase = PHASES.find(({ includes }) => includes(event))?.name;
        if (phase === undefined || event.operation === "same" || (event.kind !== "start" && event.kind !== "done")) {
            return;
        }
        const now = performance.now() / 1000;
        const known = this.times.get(phase);
        this.times.set(phase, { from: Math.min(known?.from ?? now, now), to: Math.max(known?.to ?? now, now) });
    }

    /** The phases in which something was done, in bring-up order. */
    phases(): PhaseTime[] {
        return PHASES.flatMap(({ name }) => {
            const time = this.times.get(name);
            return time === undefined ? [] : [{ phase: name, ...time }];
        });
    }
}

/** A table with a bar per phase. */
export function renderPhases(phases: readonly PhaseTime[]): string {
    const end = Math.max(...phases.map(({ to }) => to), 0.1);
    const width = 40;
    return phases
        .map(({ phase, from, to }) => {
            const start = Math.round((from / end) * width);
            const length = Math.max(1, Math.round(((to - from) / end) * width));
            const bar = `${" ".repeat(start)}${"━".repeat(length)}`.slice(0, width).padEnd(width);
            return `  ${phase.padEnd(32)} ${from.toFixed(1).padStart(5)} → ${to.toFixed(1).padStart(5)} s  ${bar}`;
        })
        .join("\n");
}
