import { spawn } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { isLockedByTheDead } from "../../../scripts/engine/lock";

let backend: string;
beforeEach(() => (backend = mkdtempSync(join(tmpdir(), "lock-"))));
afterEach(() => rmSync(backend, { recursive: true, force: true }));

function lock(pid: number, { host = hostname(), since = new Date(), name = "1" } = {}): void {
    const content = { pid, username: "ada", hostname: host, timestamp: since.toISOString() };
    const file = join(backend, `.pulumi/locks/organization/sample/test/${name}.json`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, JSON.stringify(content));
}

const isLocked = (): boolean => isLockedByTheDead(backend, "sample", "test");

/** Runs `work` while a program of Pulumi's name does. */
function withPulumi(work: (pid: number) => void): void {
    copyFileSync("/bin/sleep", join(backend, "pulumi"));
    chmodSync(join(backend, "pulumi"), 0o755);
    const alive = spawn(join(backend, "pulumi"), ["60"]);
    try {
        work(alive.pid ?? 0);
    } finally {
        alive.kill();
    }
}

test("there is nothing to clear where nobody has locked the stack", () => {
    expect(isLocked()).toBe(false);
    mkdirSync(join(backend, ".pulumi/locks/organization/sample/test"), { recursive: true });
    expect(isLocked()).toBe(false);
});

test("a lock whose owner is dead is to be cleared, also where another process has its pid", () => {
    lock(2 ** 22 + 1);
    expect(isLocked()).toBe(true);
    lock(process.pid);
    expect(isLocked()).toBe(true);
    withPulumi((pid) => {
        lock(pid, { since: new Date(Date.now() - 60_000) });
        expect(isLocked()).toBe(true);
    });
});

test("a lock whose owner lives is refused with the owner, also beside one of the dead", () => {
    withPulumi((pid) => {
        lock(pid);
        expect(isLocked).toThrow(new RegExp(`holds the stack "test": process ${pid} of ada on`));
        lock(2 ** 22 + 1, { name: "2" });
        expect(isLocked).toThrow(new RegExp(`process ${pid} of ada`));
    });
});

test("of another host's lock nobody can tell, so it is refused", () => {
    lock(1, { host: "another-host" });
    expect(isLocked).toThrow(/process 1 of ada on another-host/);
});
