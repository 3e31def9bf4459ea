import { spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureParts } from "../../../scripts/parts";
import { eventually } from "../lab";

const REPOSITORY = join(__dirname, "../../..");

/** What plays the internet: upstream's servers and registries, at one address of this host. */
export interface Upstream {
    /** `http://address:port` */
    readonly url: string;
    /** Requests so far, `<address it came from> <method> <path>`. */
    requests(): readonly string[];
    end(): Promise<void>;
}

/**
 * Starts it with this host's parts. It ends with this process at the latest.
 *
 * @param has `images` alone, or the files of upstream's releases too, which takes a while to pack.
 */
export async function startUpstream(address: string, has: "images" | "releases and images"): Promise<Upstream> {
    const port = "8080";
    const { digest } = await ensureParts({ source: "auto", extras: ["flannel"] }, () => undefined);
    const command = ["--require", "tsx/cjs", join(__dirname, "internet.ts"), address, port, digest, has];
    const directory = mkdtempSync(join(tmpdir(), "kubelab-upstream-"));
    // A file, and no pipe: the tests wait for their commands, and read nothing meanwhile.
    const log = join(directory, "log");
    const output = openSync(log, "w");
    const child = spawn(process.execPath, command, { cwd: REPOSITORY, stdio: ["pipe", output, "inherit"] });
    closeSync(output);
    const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    const lines = (): string[] => readFileSync(log, "utf8").split("\n");
    const ready = eventually(200, () => {
        if (!lines().includes("ready")) {
            throw new Error("what plays the internet isn't ready after 200 seconds");
        }
    });
    await Promise.race([ready, ended.then(() => Promise.reject(new Error("what plays the internet has ended")))]);
    return {
        url: `http://${address}:${port}`,
        requests: () => lines().filter((line) => line.includes(" /")),
        end: async () => {
            child.stdin?.end();
            await ended;
            rmSync(directory, { recursive: true, force: true });
        },
    };
}
