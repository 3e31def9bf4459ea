import { UNEXPECTED } from "../../scripts/cli/tour/stop";
import type { Lab } from "./lab";
import type { Running } from "./running";
import { stopStory } from "./story";

const PROMPT = /Enter: the next step/g;
const HEADING = /^\d+\/\d+ {2}(\S+)$/gm;

/** `scripts/lab tour` with a person at the keyboard, who looks around where it waits. */
export class Tour {
    private readonly running: Running;
    private entered = 0;

    constructor(lab: Lab) {
        this.running = lab.start("tour", [], { keyboard: true });
    }

    /** Presses Enter until the tour waits at this step. @throws Error where it ends before, or where something isn't as it says. */
    async goTo(step: string): Promise<void> {
        for (;;) {
            const waits = await this.running.until(() => (this.printed.match(PROMPT)?.length ?? 0) > this.entered);
            this.expectAllAsItSays();
            if (!waits) {
                stopStory();
                throw new Error(`the tour ended before the step ${step}:\n${this.printed}`);
            }
            if ([...this.printed.matchAll(HEADING)].at(-1)?.[1] === step) {
                return;
            }
            this.goOn();
        }
    }

    /** Presses Enter to the end. @returns all that it has printed. */
    async end(): Promise<string> {
        while (await this.running.until(() => (this.printed.match(PROMPT)?.length ?? 0) > this.entered)) {
            this.goOn();
        }
        const { code, stderr } = await this.running.ended;
        this.expectAllAsItSays();
        if (code !== 0) {
            stopStory();
            throw new Error(`the tour ended with ${code}:\n${this.printed}\n${stderr}`);
        }
        return this.printed;
    }

    /** Ends it where it is, if it hasn't ended. */
    async leave(): Promise<void> {
        if (!this.running.isOver) {
            await this.running.killWhole();
        }
    }

    private get printed(): string {
        return this.running.printed;
    }

    private goOn(): void {
        this.entered += 1;
        this.running.type("\n");
    }

    private expectAllAsItSays(): void {
        if (this.printed.includes(UNEXPECTED)) {
            throw new Error(this.printed);
        }
    }
}
