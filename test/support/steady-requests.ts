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
}

/** Requests from this host, one after the other, until it is stopped: requests.sh. */
export class SteadyRequests {
    private readonly directory = temporaryDirectory();
    private readonly process: ChildProcess;

    /**
     * @param script beside this file; it gets the URL and a directory with these files.
     * @param expected HTTP status of one that succeeds.
     */
    constructor(
        script: "writer.sh" | "visitor.sh",
        url: string,
        private readonly expected: number,
        files: Readonly<Record<string, Buffer>> = {},
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

    /** Those after that number. */
    since(number: number): Requests {
        const notes = this.notes().filter((note) => note.number > number);
        const succeeded = notes.filter(({ status }) => status === this.expected);
        const answered = [notes[0]?.sent ?? 0, ...succeeded.map(({ answer }) => answer), notes.at(-1)?.answer ?? 0];
        const gaps = answered.slice(1).map((answer, index) => answer - (answered[index] ?? 0));
        const failed = notes.length - succeeded.length;
        return { succeeded: succeeded.length, failed, longestGap: Math.max(0, ...gaps) };
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
        return lines.map((line) => {
            const [number = 0, sent = 0, answer = 0, status = 0] = line.split(" ").map(Number);
            return { number, sent, answer, status };
        });
    }
}
