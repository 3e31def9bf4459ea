import type { Health } from "../model";

/** Pixels at scale 1. Text in items is monospaced, so its width is known without a browser. */
export const WIDTH = 1080;
export const MARGIN = 24;
export const GAP = 24;
export const PADDING = 16;
/** Space between small things. */
export const STEP = 8;
export const CHIP = 26;
export const ROW = 26;
export const LINE = 18;
export const SIGN = 14;

/** Size of the font of items. */
export const FONT = 12;
const ADVANCE = 0.602;

export function textWidth(text: string, size = FONT): number {
    return [...text].length * size * ADVANCE;
}

/** The text, or its beginning and end with an ellipsis between where it is wider than `width`. */
export function shortened(text: string, width: number, size = FONT): string {
    const room = Math.max(3, Math.floor(width / (size * ADVANCE)));
    const letters = [...text];
    if (letters.length <= room) {
        return text;
    }
    // The end tells pods of one Deployment apart.
    const end = Math.min(6, Math.floor((room - 1) / 2));
    return `${letters.slice(0, room - 1 - end).join("")}…${letters.slice(letters.length - end).join("")}`;
}

/** A state in a word, for readers without colours. */
export const WORD: Readonly<Record<Health, string>> = {
    good: "healthy",
    moving: "changing",
    bad: "broken",
    off: "finished",
    unknown: "unknown",
};
