import { spawn } from "node:child_process";
import type { Progress } from "../support/progress";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Runs `work` while holding the file's lock, waiting for another holder first. The kernel's flock(2) holds it, through flock(1)
 * of util-linux, which ends when this process does: a killed process leaves no lock behind.
 *
 * @param path the lock file; beside the lock it carries its holder's process id, for the message to whoever waits.
 */
export async function withLock<T>(path: string, progress: Progress, work: () => Promise<T>): Promise<T> {
    mkdirSync(dirname(path), { recursive: true });
    const release = (await tryLock(path, "--nonblock")) ?? (await waitForLock(path, progress));
    try {
        writeFileSync(path, `${process.pid}\n`);
        return await work();
    } finally {
        release();
    }
}

async function waitForLock(path: string, progress: Progress): Promise<() => void> {
    progress(`waiting for process ${readFileSync(path, "utf8").trim() || "unknown"}, which is getting parts (${path})`);
    const release = await tryLock(path, "--exclusive");
    if (release === undefined) {
        throw new Error(`flock gave no lock on ${path}`);
    }
    return release;
}

/** The function that gives the lock back, or nothing where another process holds it. */
async function tryLock(path: string, mode: "--nonblock" | "--exclusive"): Promise<(() => void) | undefined> {
    // `cat` lives until the other end of its stdin closes, by release() or by the end of this process.
    const holder = spawn("flock", [mode, "--conflict-exit-code", "75", path, "sh", "-c", "echo locked; exec cat"], {
        stdio: ["pipe", "pipe", "inherit"],
    });
    const ended = once(holder, "exit");
    const locked = once(holder.stdout, "data").then(() => true);
    if (await Promise.race([locked, ended.then(() => false)])) {
        return () => holder.stdin.end();
    }
    if (holder.exitCode !== 75) {
        throw new Error(`flock ended with ${holder.exitCode} on ${path}`);
    }
    return undefined;
}
