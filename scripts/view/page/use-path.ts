import { useEffect, useState } from "preact/hooks";
import type { PathAnswer, PathQuestion } from "../contract";
import { asText, type Ends } from "./ends";
import { ask } from "./live";
import type { Traced } from "./path-panel";

/** Milliseconds from hop to hop. */
const STEP = 380;

const NOTHING: Traced = { isRunning: false, lit: 0 };

/** A path that is found when it is asked for, and then lights up hop by hop. */
export function usePath(): {
    readonly traced: Traced;
    readonly trace: (ends: Ends) => void;
    readonly clear: () => void;
} {
    const [traced, set] = useState<Traced>(NOTHING);
    const hops = traced.path?.hops.length ?? 0;
    useEffect(() => {
        if (traced.lit >= hops) {
            return undefined;
        }
        const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
        const timer = setTimeout(
            () => set((before) => ({ ...before, lit: isStill ? hops : before.lit + 1 })),
            isStill ? 0 : STEP,
        );
        return () => clearTimeout(timer);
    }, [traced.lit, hops]);
    const trace = ({ from, to, port }: Ends): void => {
        set({ isRunning: true, lit: 0 });
        const question: PathQuestion = { from: asText(from), to: asText(to, port) };
        ask<PathAnswer>("path", question).then(
            (path) => set({ path, isRunning: false, lit: 0 }),
            (error: unknown) =>
                set({ problem: error instanceof Error ? error.message : String(error), isRunning: false, lit: 0 }),
        );
    };
    return { traced, trace, clear: () => set(NOTHING) };
}
