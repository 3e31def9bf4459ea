import type { Health } from "../model";

/** Pixels at scale 1. */
export interface Box {
    readonly x: number;
    readonly y: number;
    readonly width: number;
    readonly height: number;
}

export type Kind =
    "host" | "api" | "bridge" | "machine" | "interface" | "unit" | "route" | "pod-bridge" | "pod" | "service";

/** Something in the drawing that has a name, a place and a state. */
export interface Item extends Box {
    /** As `idOf` of model.ts has it. */
    readonly id: string;
    readonly kind: Kind;
    readonly health: Health;
    /** What a screen reader says, and a tooltip shows. */
    readonly label: string;
    /** What is written in it. */
    readonly text: string;
    /** What is written beside it, or below. */
    readonly detail?: string;
    /** Written at its right end. */
    readonly note?: string;
}

/** A line that belongs to no item: the wires. */
export interface Wire {
    readonly points: readonly (readonly [number, number])[];
    readonly health: Health;
    /** It is drawn over a machine's box. */
    readonly isInside?: boolean;
}

/** A line of text that belongs to no item. */
export interface Caption {
    readonly x: number;
    readonly y: number;
    readonly text: string;
}

/** A line from a service to one of its endpoints. */
export interface ServiceLine {
    readonly service: string;
    readonly target: string;
    readonly ready: boolean;
}

export interface Layout {
    readonly width: number;
    readonly height: number;
    readonly items: readonly Item[];
    readonly wires: readonly Wire[];
    readonly captions: readonly Caption[];
    readonly serviceLines: readonly ServiceLine[];
}
