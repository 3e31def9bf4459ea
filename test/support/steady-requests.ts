import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "./bash";

/** What became of a stretch of requests. */
export interface Requests {
    readonly succeeded: number;
    readonly failed: number;
    /** Longest time between two that succeeded, in milliseconds. */
    readonly longestGap: number;
    /** Of each one that failed: HTTP status (0 where there was no answer), and after how many milliseconds. */
    readonly failures: readonly string[];
}

/** Requests from this host, until it is stopped: requests.sh. */
export class SteadyRequests {
    private readonly directory = temporaryDirectory();
    private readonly process: ChildProcess;

    /**
     * @param script beside this file; it gets the URL and a directory with these files.
     * @param expected HTTP status of one that succeeds.
     */
    constructor(
        script: "writer.sh" | "visitor.sh" | "client.sh",
        url: string,
        private readonly expected: number,
        files: Readonly<Record<string, Buffer | string>> = {},
    ) {
        for (const [name, content] of Object.entries({ ...files, requests: "" })) {
            writeFileSync(join(this.directory.path, name), content, { mode: 0o600 });
        }
        const command = [join(__dirname, script), url, this.directory.path];
        this.process = spawn("bash", command, { stdio: "inherit" });
    }

    /** Number of the last one so far. */
    get last(): number {
        return this.notes().at(-1)?.number ?? 0;
    }

    /** Whether all up to that number have come to their end. */
    ended(number: number): boolean {
        return this.notes().filter((note) => note.number <= number).length === number;
    }

    /** Those after that number. */
    since(number: number): Requests {
        const notes = this.notes().filter((note) => note.number > number);
        const succeeded = notes.filter(({ status }) => status === this.expected);
        const answers = succeeded.map(({ answer }) => answer).sort((a, b) => a - b);
        const answered = [notes[0]?.sent ?? 0, ...answers, notes.at(-1)?.sent ?? 0];
        const gaps = answered.slice(1).map((answer, index) => answer - (answered[index] ?? 0));
        const failures = notes
            .filter(({ status }) => status !== this.expected)
            .map(
                ({ status, sent, answer }) => `${status} after ${answer - sent} ms at ${new Date(sent).toISOString()}`,
            );
        return {
            succeeded: succeeded.length,
            failed: failures.length,
            longestGap: Math.max(0, ...gaps),
            failures: failures.slice(0, 20),
        };
    }

    /** Numbers of those that succeeded. */
    succeeded(): number[] {
        return this.notes()
            .filter(({ status }) => status === this.expected)
            .map(({ number }) => number);
    }

    stop(): void {
        this.process.kill();
        this.directory.remove();
    }

    private notes(): { number: number; sent: number; answer: number; status: number }[] {
        const lines = readFileSync(join(this.directory.path, "requests"), "utf8").split("\n").slice(0, -1);
        return lines
            .map((line) => {
                const [number = 0, sent = 0, answer = 0, status = 0] = line.split(" ").map(Number);
                return { number, sent, answer, status };
            })
            .sort((a, b) => a.number - b.number);
    }
}
