import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "./bash";

/** Five times a second; a connection that takes longer than 0.9 seconds has lost a packet. */
const ASK = `while sleep 0.2; do
    for url; do
        curl -s --connect-timeout 0.9 --max-time 5 -o /dev/null -w '%{http_code} %{errormsg} %{url}\\n' "$url"
    done
done`;

/** Asks URLs all the time, from this host, each over connections of its own. */
export class Asker {
    private readonly directory = temporaryDirectory();
    private readonly process: ChildProcess;

    constructor(urls: readonly string[]) {
        const command = `exec >"$0"; ${ASK}`;
        this.process = spawn("bash", ["-c", command, this.file, ...urls], { stdio: "inherit" });
    }

    private get file(): string {
        return join(this.directory.path, "answers");
    }

    /** How many questions were answered with 200, and what came of each other one. */
    answers(): { readonly answered: number; readonly missed: readonly string[] } {
        const text = existsSync(this.file) ? readFileSync(this.file, "utf8") : "";
        // The last line may not have come to its end.
        const lines = text.split("\n").slice(0, -1);
        const missed = lines.filter((line) => !line.startsWith("200 "));
        return { answered: lines.length - missed.length, missed };
    }

    stop(): void {
        this.process.kill();
        this.directory.remove();
    }
}
