import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { temporaryDirectory } from "./bash";
import type { Lab } from "./lab";

interface Kubeconfig {
    readonly clusters: readonly { readonly cluster: Readonly<Record<string, string>> }[];
    readonly users: readonly { readonly user: Readonly<Record<string, string>> }[];
}

/** What became of a stretch of writes. */
export interface Writes {
    readonly acknowledged: number;
    readonly failed: number;
    /** Longest time between two acknowledged writes, in milliseconds; they are sent every 200 where nothing fails. */
    readonly longestGap: number;
}

/** Writes to a lab's API all the time, from this host by its kubeconfig: writer.sh. */
export class Writer {
    private readonly directory = temporaryDirectory();
    private readonly process: ChildProcess;

    constructor(private readonly lab: Lab) {
        const text = readFileSync(join(lab.directory, "kubeconfig"), "utf8");
        const { clusters, users } = parse(text) as Kubeconfig;
        const cluster = clusters[0]?.cluster ?? {};
        const user = users[0]?.user ?? {};
        const files = {
            "ca.crt": cluster["certificate-authority-data"],
            "client.crt": user["client-certificate-data"],
            "client.key": user["client-key-data"],
            writes: "",
        };
        for (const [name, content = ""] of Object.entries(files)) {
            writeFileSync(join(this.directory.path, name), Buffer.from(content, "base64"), { mode: 0o600 });
        }
        const script = join(__dirname, "writer.sh");
        this.process = spawn("bash", [script, cluster["server"] ?? "", this.directory.path], { stdio: "inherit" });
    }

    /** Number of the last write so far. */
    get last(): number {
        return this.notes().at(-1)?.number ?? 0;
    }

    /** The writes after that number. */
    since(number: number): Writes {
        const notes = this.notes().filter((note) => note.number > number);
        const acknowledged = notes.filter(({ status }) => status === "201");
        const answered = [notes[0]?.sent ?? 0, ...acknowledged.map(({ answer }) => answer), notes.at(-1)?.answer ?? 0];
        const gaps = answered.slice(1).map((answer, index) => answer - (answered[index] ?? 0));
        const failed = notes.length - acknowledged.length;
        return { acknowledged: acknowledged.length, failed, longestGap: Math.max(0, ...gaps) };
    }

    /** Names of acknowledged writes that the API doesn't have. */
    lost(): string[] {
        // First: those of meanwhile are in the list or not.
        const acknowledged = this.notes().filter(({ status }) => status === "201");
        const there = new Set(this.lab.kubectl("get", "configmaps", "-o", "name").split("\n"));
        return acknowledged.map(({ number }) => `configmap/write-${number}`).filter((name) => !there.has(name));
    }

    stop(): void {
        this.process.kill();
        this.directory.remove();
    }

    private notes(): { number: number; sent: number; answer: number; status: string }[] {
        const lines = readFileSync(join(this.directory.path, "writes"), "utf8").split("\n").slice(0, -1);
        return lines.map((line) => {
            const [number, sent, answer, status = ""] = line.split(" ");
            return { number: Number(number), sent: Number(sent), answer: Number(answer), status };
        });
    }
}
