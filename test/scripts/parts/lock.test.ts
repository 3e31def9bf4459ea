import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { withLock } from "../../../scripts/parts/lock";
import { repositoryRoot } from "../../../scripts/support/paths";
import { useTemporaryCache } from "./support";

const cache = useTemporaryCache();
const path = (): string => join(cache.path, "lock");

test("the second waits for the first and says for whom", async () => {
    const events: string[] = [];
    const first = withLock(
        path(),
        () => undefined,
        async () => {
            events.push("first starts");
            await sleep(300);
            events.push("first ends");
        },
    );
    await sleep(100);
    const second = withLock(
        path(),
        (line) => events.push(line),
        () => {
            events.push("second starts");
            return Promise.resolve();
        },
    );
    await Promise.all([first, second]);
    expect(events).toEqual([
        "first starts",
        `waiting for process ${process.pid}, which is getting parts (${path()})`,
        "first ends",
        "second starts",
    ]);
});

test("the lock is given back when the work fails", async () => {
    await expect(
        withLock(
            path(),
            () => undefined,
            () => Promise.reject(new Error("no")),
        ),
    ).rejects.toThrow("no");
    expect(
        await withLock(
            path(),
            () => undefined,
            () => Promise.resolve("free"),
        ),
    ).toBe("free");
});

test("a killed holder leaves no lock behind", async () => {
    const program = `require("./scripts/parts/lock.ts").withLock(process.argv[1], console.log, () => {
        console.log("held");
        return new Promise((resolve) => setTimeout(resolve, 60000));
    });`;
    const holder = spawn("node", ["--require", "tsx/cjs", "-e", program, path()], {
        cwd: repositoryRoot(),
        stdio: ["ignore", "pipe", "inherit"],
    });
    await once(holder.stdout, "data");
    holder.kill("SIGKILL");
    await once(holder, "exit");
    const lines: string[] = [];
    expect(
        await withLock(
            path(),
            (line) => lines.push(line),
            () => Promise.resolve("free"),
        ),
    ).toBe("free");
}, 20_000);
