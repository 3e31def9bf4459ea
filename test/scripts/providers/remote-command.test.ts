import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { command } from "../../../scripts/providers/command";
import type { Properties, Value } from "../../../scripts/providers/value";
import { ed25519, SshMachine } from "../../support/ssh-machine";
import { Made, subjectOf } from "./made";

let directory: string;
let log: string;
let machine: SshMachine;
beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "remote-command-"));
    log = join(directory, "log");
    machine = new SshMachine();
    await machine.start();
});
afterEach(() => {
    machine.stop();
    rmSync(directory, { recursive: true, force: true });
});

const run = (
    inputs: Properties,
    { connection = {}, ...subject }: { readonly connection?: object; readonly signal?: AbortSignal } = {},
): Promise<Made> =>
    Made.create(command, subjectOf("command:remote:Command", "step", subject), {
        connection: machine.connectionArgs(connection) as unknown as Value,
        ...inputs,
    });

const message = async (work: Promise<unknown>): Promise<string> =>
    work.then(
        () => "it went well",
        (error: unknown) => (error as Error).message,
    );

test("runs a script from standard input, gives its output without the last newline, and again on a change", async () => {
    const stdin = `echo "$1 one" >> ${log}; printf 'a\\nb\\n'; echo warn >&2`;
    const step = await run({ create: "bash -s -- create", delete: "bash -s -- delete", stdin });
    expect(step.existing.outputs).toMatchObject({ stdout: "a\nb", stderr: "warn" });
    expect(step.diff().changed).toEqual([]);
    const changes = { stdin: stdin.replace("one", "two") };
    expect(step.diff(changes)).toEqual({ changed: ["stdin"], replace: [] });
    expect(step.diff({ triggers: ["another"] }).replace).toEqual(["triggers"]);
    await (await step.update(changes)).delete();
    expect(readFileSync(log, "utf8").trim().split("\n")).toEqual(["create one", "create two", "delete two"]);
    expect(machine.connections).toBe(3);
});

test("a large standard input arrives whole", async () => {
    const stdin = "0123456789abcdef\n".repeat(400_000);
    expect(Number((await run({ create: "wc -c", stdin })).text("stdout"))).toBe(stdin.length);
});

test("another host key is refused before any command runs", async () => {
    const connection = { hostKey: ed25519().public, dialErrorLimit: 0 };
    expect(await message(run({ create: `touch ${log}` }, { connection }))).toMatch(
        /^no SSH connection to root@127.0.0.1:\d+ .*(host|verification)/is,
    );
    expect(existsSync(log)).toBe(false);
});

test("a refused key says so after as many attempts as allowed", async () => {
    const connection = { privateKey: ed25519().private, dialErrorLimit: 1 };
    expect(await message(run({ create: "true" }, { connection }))).toMatch(/after 2 attempts: .*authentication/i);
    expect(machine.connections).toBe(2);
});

test("connecting is tried again until the machine takes it", async () => {
    machine.drop = 2;
    await run({ create: "true" });
    expect(machine.connections).toBe(3);
});

test("a failed command shows its exit status and last lines, and never its standard input", async () => {
    const stdin = "secret=swordfish\nfor i in $(seq 100); do echo line $i; done; echo broken >&2; exit 7";
    const text = await message(run({ create: "bash -s", stdin }));
    expect(text).toMatch(/^exit status 7: running "bash -s":\n/);
    expect(text).toContain("broken");
    expect(text).not.toContain("swordfish");
    expect(text.split("\n").length).toBeLessThan(60);
});

test("a lost connection is a failure of that step", async () => {
    expect(await message(run({ create: "vanish" }))).toMatch(
        /^the connection was lost before it ended: running "vanish"/,
    );
});

test("a command that is cut short fails, and so does one that has no connection yet", async () => {
    const cut = new AbortController();
    const running = message(run({ create: `touch ${log}; sleep 3` }, { signal: cut.signal }));
    while (!existsSync(log)) {
        await new Promise((resolve) => setTimeout(resolve, 10));
    }
    machine.drop = 1000;
    const dialling = message(run({ create: "true" }, { connection: { dialErrorLimit: -1 }, signal: cut.signal }));
    cut.abort();
    expect(await running).toMatch(/^it was ended by an interrupt: running "touch/);
    expect(await dialling).toMatch(/^no SSH connection to root@127.0.0.1:\d+ after \d+ attempts/);
});

test("steps run at once, each on a connection of its own, at most 24 of them on one machine", async () => {
    // On a busy machine a handshake takes its time; a second attempt would be a connection more.
    const connection = { perDialTimeout: 60 };
    await Promise.all(Array.from({ length: 40 }, () => run({ create: "sleep 0.5" }, { connection })));
    expect(machine.connections).toBe(40);
    expect(machine.mostOpen).toBeGreaterThan(8);
    expect(machine.mostOpen).toBeLessThanOrEqual(24);
}, 60_000);

test("no machine has more than 8 connections that haven't proved yet who they are, and a slow one keeps no other waiting", async () => {
    const other = new SshMachine();
    await other.start();
    const connection = { perDialTimeout: 60, dialErrorLimit: 0 };
    machine.logInSeconds = 0.3;
    const slow = Array.from({ length: 20 }, () => run({ create: "true" }, { connection }));
    const started = performance.now();
    await run({ create: "true" }, { connection: { ...other.connectionArgs(), ...connection } });
    const waited = performance.now() - started;
    await Promise.all(slow);
    const took = performance.now() - started;
    other.stop();
    expect(machine.mostUnproved).toBeGreaterThan(1);
    expect(machine.mostUnproved).toBeLessThanOrEqual(8);
    expect(waited).toBeLessThan(took / 2);
}, 60_000);
