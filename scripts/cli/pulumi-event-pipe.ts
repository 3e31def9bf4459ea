import { execFile } from "node:child_process";
import { constants, openSync, rmSync } from "node:fs";
import { Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";

const execute = promisify(execFile);

export interface EventPipe {
    readonly path: string;
    /** Reads what is left, then removes the pipe. */
    close(): Promise<void>;
}

/** A named pipe in `directory` (0600) that gives every line of JSON written to it to `onEvent`. */
export async function openEventPipe(directory: string, onEvent: (event: unknown) => void): Promise<EventPipe> {
    const path = join(directory, `events.${process.pid}`);
    rmSync(path, { force: true });
    await execute("mkfifo", ["-m", "600", path]);
    // Open for both, so that opening doesn't wait for a writer, and no writer's going is taken for the end.
    const socket = new Socket({ fd: openSync(path, constants.O_RDWR | constants.O_NONBLOCK), readable: true });
    let partial = "";
    let last = performance.now();
    socket.setEncoding("utf8").on("data", (chunk: string) => {
        last = performance.now();
        const lines = (partial + chunk).split("\n");
        partial = lines.pop() ?? "";
        lines.filter((line) => line !== "").forEach((line) => onEvent(JSON.parse(line)));
    });
    socket.on("error", () => undefined);
    return {
        path,
        close: async () => {
            do {
                await delay(20);
            } while (performance.now() - last < 20);
            socket.destroy();
            rmSync(path, { force: true });
        },
    };
}
