import { Counter } from "../build/counter";
import type { Progress } from "../../support/progress";
import type { OnBytes } from "./file";

const MIB = 1024 ** 2;

/** One display for all downloads that run: what is finished as it finishes, and now and then how far the others are. */
export class DownloadDisplay {
    private readonly counter: Counter;
    private readonly running = new Map<string, string>();
    private readonly present = new Map<string, number>();
    private readonly telling: NodeJS.Timeout;

    constructor(total: number, progress: Progress, interval: number) {
        this.counter = new Counter(total, progress);
        this.telling = setInterval(() => this.tell(), interval);
        this.counter.note(`downloading ${total} files`);
    }

    /** What to tell how far a file is. */
    start(name: string): OnBytes {
        return (present, size) => {
            this.present.set(name, present);
            const share = size === undefined ? mebibytes(present) : `${Math.floor((100 * present) / size)} %`;
            this.running.set(name, `${name} ${share}`);
        };
    }

    done(name: string): void {
        this.running.delete(name);
        this.counter.done(name);
    }

    end(): void {
        clearInterval(this.telling);
    }

    private tell(): void {
        const sum = [...this.present.values()].reduce((total, present) => total + present, 0);
        this.counter.note([mebibytes(sum), ...this.running.values()].join(", "));
    }
}

function mebibytes(bytes: number): string {
    return `${Math.round(bytes / MIB)} MiB`;
}
