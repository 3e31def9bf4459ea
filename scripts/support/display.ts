import { stripVTControlCharacters } from "node:util";
import colors from "picocolors";
import type { Progress } from "./progress";

/** A stream that a person may be reading. */
export interface Output {
    readonly isTTY?: boolean;
    /** 0 in a terminal that has no size. */
    readonly columns?: number;
    write(text: string): unknown;
}

export interface DisplayOptions {
    /** Where what is under way is shown; a terminal has it as its last line, which moves. */
    readonly live?: Output;
    /** Where lines go that stay. */
    readonly lines?: Output;
    /** Milliseconds between two moves of the last line of a terminal. */
    readonly moving?: number;
    /** Milliseconds of silence after which what is under way is told elsewhere. */
    readonly telling?: number;
}

const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/**
 * Shows a run that takes a while, and never is silent: lines that stay, and what is under way, with its seconds. In a terminal that is
 * the last line, which moves; elsewhere it is a line now and then, as long as no other comes.
 */
export class Display {
    private readonly live: Output;
    private readonly lines: Output;
    private readonly moves: boolean;
    private readonly telling: number;
    private readonly timer: NodeJS.Timeout;
    private subject: { readonly name: string; readonly since: number } | undefined;
    private text = "";
    private frame = 0;
    private isDrawn = false;
    private last = Date.now();

    constructor({
        live = process.stderr,
        lines = process.stdout,
        moving = 500,
        telling = 10_000,
    }: DisplayOptions = {}) {
        this.live = live;
        this.lines = lines;
        this.moves = live.isTTY === true && process.env["TERM"] !== "dumb";
        this.telling = telling;
        this.timer = setInterval(() => this.tick(), this.moves ? moving : Math.min(1000, telling));
        this.timer.unref();
    }

    /** What begins now; the seconds that are shown are its own. */
    begin(name: string): void {
        this.subject = { name, since: Date.now() };
        this.text = "";
        this.tick();
    }

    /** How far it is. */
    now(text: string): void {
        this.text = text;
    }

    /** A line that stays. */
    line(text: string, output: Output = this.lines): void {
        this.erase();
        output.write(`${text}\n`);
        this.last = Date.now();
        if (this.moves) {
            this.draw();
        }
    }

    /** For whoever tells of its progress by lines: they go where what is under way is shown. */
    get progress(): Progress {
        return Object.assign((text: string) => this.line(text, this.live), { now: (text: string) => this.now(text) });
    }

    /** Nothing is under way any more. */
    end(): void {
        clearInterval(this.timer);
        this.erase();
        this.subject = undefined;
    }

    private tick(): void {
        if (this.moves) {
            this.erase();
            this.draw();
        } else if (this.subject !== undefined && Date.now() - this.last >= this.telling) {
            this.last = Date.now();
            this.live.write(`${this.render("…")}\n`);
        }
    }

    private draw(): void {
        if (this.subject === undefined) {
            return;
        }
        this.frame = (this.frame + 1) % FRAMES.length;
        const room = Math.max(20, (this.live.columns || 80) - 1);
        const text = this.render(FRAMES[this.frame] ?? "");
        this.live.write(colors.dim(text.length > room ? `${text.slice(0, room - 1)}…` : text));
        this.isDrawn = true;
    }

    private render(sign: string): string {
        const { name = "", since = Date.now() } = this.subject ?? {};
        const seconds = Math.round((Date.now() - since) / 1000);
        return [sign, name, elapsed(seconds), stripVTControlCharacters(this.text)].filter(Boolean).join("  ");
    }

    private erase(): void {
        if (this.isDrawn) {
            this.live.write("\r\u001b[K");
            this.isDrawn = false;
        }
    }
}

/** `42 s`, `3 min 5 s` */
export function elapsed(seconds: number): string {
    const whole = Math.round(seconds);
    return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
