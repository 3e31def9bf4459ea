import { spawn } from "node:child_process";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import * as tls from "@pulumi/tls";
import { takeLock } from "../../../scripts/offline-engine/lock";
import { Sample } from "./support";

let sample: Sample;
beforeEach(() => (sample = new Sample()));
afterEach(() => sample.remove());

test("secrets are in the state by ciphertext alone, and in outputs as [secret] unless asked for", async () => {
    const engine = sample.engine(() => {
        const key = new tls.PrivateKey("key", { algorithm: "ECDSA", ecdsaCurve: "P256" });
        const bytes = new random.RandomBytes("bytes", { length: 24 });
        new local.Command("secret", { create: "cat >/dev/null", stdin: pulumi.secret("hunter2-is-my-password") });
        return { key: key.privateKeyPem, bytes: bytes.hex, nested: { list: [pulumi.secret("deep-secret")] }, open: 1 };
    });
    await engine.up();
    const shown = await engine.outputs({ showSecrets: true });
    const state = readFileSync(sample.stateFile, "utf8");
    expect(String(shown["key"])).toMatch(/^-----BEGIN EC PRIVATE KEY-----/);
    for (const secret of ["hunter2", "deep-secret", "PRIVATE KEY", String(shown["bytes"])]) {
        expect(state).not.toContain(secret);
    }
    expect(await engine.outputs({ showSecrets: false })).toMatchObject({ key: "[secret]", bytes: "[secret]", open: 1 });
    expect(shown["nested"]).toEqual({ list: ["deep-secret"] });
    expect(statSync(sample.stateFile).mode & 0o777).toBe(0o600);
    expect(statSync(join(sample.directory, ".kubelab/test/passphrase")).mode & 0o777).toBe(0o600);
    expect(statSync(join(sample.directory, ".kubelab/test")).mode & 0o777).toBe(0o700);
});

test("another passphrase is told apart from a damaged state", async () => {
    const engine = sample.engine(() => ({ it: pulumi.secret("x") }));
    await engine.up();
    writeFileSync(join(sample.directory, ".kubelab/test/passphrase"), "another\n");
    await expect(engine.up()).rejects.toThrow(/passphrase doesn't open this stack's state/);
    writeFileSync(sample.stateFile, "{");
    await expect(engine.up()).rejects.toThrow(/can't be read/);
});

test("a run is refused while another one holds the stack, and says who; a dead one's lock is cleared", async () => {
    const engine = sample.engine(() => ({}));
    const release = takeLock(sample.lockFile, "up");
    await expect(engine.up()).rejects.toThrow(
        new RegExp(`Another \`up\` of this stack is running: process ${process.pid}`),
    );
    release();
    writeFileSync(
        sample.lockFile,
        JSON.stringify({ pid: process.pid, started: "an earlier process", operation: "up" }),
    );
    await engine.up();
    expect(() => readFileSync(sample.lockFile)).toThrow("ENOENT");
});

describe("after a kill or an interrupt in the middle of an up", () => {
    /** Runs `up` of the sample program in a process of its own, and sends that a signal while `slow` runs. */
    async function interruptedUp(signal: NodeJS.Signals, sleep: string): Promise<void> {
        const script = join(__dirname, "killed-up.ts");
        const child = spawn(process.execPath, ["--import", "tsx", script, sample.directory], {
            stdio: ["ignore", "pipe", "ignore"],
            env: { ...process.env, SLEEP: sleep },
        });
        await new Promise<void>((resolve) =>
            child.stdout.on("data", (chunk: Buffer) => {
                if (String(chunk).includes("running slow")) {
                    resolve();
                }
            }),
        );
        child.kill(signal);
        const code = await new Promise((resolve) => child.on("close", resolve));
        expect(code).not.toBe(0);
    }

    const killedUp = (): Promise<void> => interruptedUp("SIGKILL", "30");

    test("the next up keeps what was finished, runs what was cut short again, and goes on", async () => {
        const { program } = await import("./killed-up");
        await killedUp();
        expect(sample.ran()).toEqual(["run first", "run slow"]);
        process.env["SLEEP"] = "0";
        const engine = sample.engine(() => program(sample));
        expect(await engine.up()).toMatchObject({ created: 2, same: 2 });
        expect(sample.ran()).toEqual(["run slow", "run last"]);
        expect(await engine.up()).toMatchObject({ created: 0, updated: 0, same: 4 });
    }, 60_000);

    test("an interrupt lets what runs end, begins nothing new, and the next up goes on", async () => {
        const { program } = await import("./killed-up");
        await interruptedUp("SIGINT", "1");
        expect(sample.ran()).toEqual(["run first", "run slow"]);
        process.env["SLEEP"] = "0";
        expect(await sample.engine(() => program(sample)).up()).toMatchObject({ created: 1, same: 3 });
        expect(sample.ran()).toEqual(["run last"]);
    }, 60_000);

    test("destroy also deletes what may have been created", async () => {
        await killedUp();
        sample.ran();
        await sample.engine(() => ({})).destroy();
        expect(sample.ran()).toEqual(["delete slow", "delete first"]);
        expect(await sample.engine(() => ({})).exists()).toBe(false);
    }, 60_000);

    test("an up whose program no longer has it deletes it too", async () => {
        await killedUp();
        sample.ran();
        await sample.engine(() => void sample.command("first")).up();
        expect(sample.ran()).toEqual(["run first", "delete slow"]);
    }, 60_000);
});

test("an update that was cut short is run again although its inputs are back to what they were", async () => {
    const program = (value: string, code: string) => () =>
        void new local.Command("it", { create: `echo $(cat) >> ${sample.log}; ${code}`, stdin: value });
    await sample.engine(program("old", "true")).up();
    const state = JSON.parse(readFileSync(sample.stateFile, "utf8")) as {
        resources: { type: string }[];
        pending: unknown[];
    };
    state.pending.push({
        operation: "update",
        resource: state.resources.find(({ type }) => type.startsWith("command")),
    });
    writeFileSync(sample.stateFile, JSON.stringify(state));
    sample.ran();
    expect(await sample.engine(program("old", "true")).up()).toMatchObject({ updated: 1 });
    expect(sample.ran()).toEqual(["old"]);
    expect(await sample.engine(program("old", "true")).up()).toMatchObject({ updated: 0, same: 2 });
});
