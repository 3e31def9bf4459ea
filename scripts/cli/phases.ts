import { type Phase, phaseOf, PHASES } from "../../components/phases";
import type { EngineEvent } from "../engine/event";

export interface PhaseTime {
    readonly phase: Phase;
    /** Seconds since the command was started: Node.js and the program have to be loaded first. */
    readonly from: number;
    readonly to: number;
}

/** Collects when each phase's first resource started and its last one was done. */
export class PhaseClock {
    private readonly times = new Map<Phase, { from: number; to: number }>();

    /** @param withoutSeconds before the first phase that are no part of a bring-up: software was built or downloaded. */
    constructor(private readonly withoutSeconds = 0) {}

    record(event: EngineEvent): void {
        const phase = phaseOf(event.urn);
        if (phase === undefined || event.operation === "same" || (event.kind !== "start" && event.kind !== "done")) {
            return;
        }
        const now = performance.now() / 1000 - this.withoutSeconds;
        const known = this.times.get(phase);
        this.times.set(phase, { from: Math.min(known?.from ?? now, now), to: Math.max(known?.to ?? now, now) });
    }

    /** The phases in which something was done, in bring-up order. */
    phases(): PhaseTime[] {
        return PHASES.flatMap((phase) => {
            const time = this.times.get(phase);
            return time === undefined ? [] : [{ phase, ...time }];
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
