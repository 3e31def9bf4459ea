import { spawn } from "node:child_process";
import type { AddressInfo } from "node:net";
import { remote } from "@pulumi/command";
import type { remote as inputs } from "@pulumi/command/types/input";
import { Server, utils, type AuthContext, type Connection } from "ssh2";
import { Sample } from "./support";

/** A key pair. About one in 200 of those that ssh2 makes is one that it can't read itself. */
function ed25519(): ReturnType<typeof utils.generateKeyPairSync> {
    for (;;) {
        const pair = utils.generateKeyPairSync("ed25519");
        if (!(utils.parseKey(pair.private) instanceof Error)) {
            return pair;
        }
    }
}

/** A machine on the loopback that takes one key and runs commands by /bin/sh; it counts its connections. */
class Machine {
    readonly client = ed25519();
    readonly hostKeys = {
        ed25519: ed25519(),
        ecdsa: utils.generateKeyPairSync("ecdsa", { bits: 256 }),
    };
    connections = 0;
    open = 0;
    mostOpen = 0;
    /** Connections to drop before any is taken. */
    drop = 0;
    private readonly server = new Server(
        { hostKeys: [this.hostKeys.ecdsa.private, this.hostKeys.ed25519.private] },
        (connection) => this.serve(connection),
    );

    async start(): Promise<void> {
        await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    }

    stop(): void {
        this.server.close();
    }

    connectionArgs(changes: Partial<inputs.ConnectionArgs> = {}): inputs.ConnectionArgs {
        return {
            host: "127.0.0.1",
            port: (this.server.address() as AddressInfo).port,
            user: "root",
            privateKey: this.client.private,
            hostKey: this.hostKeys.ed25519.public,
            dialErrorLimit: 2,
            perDialTimeout: 5,
            ...changes,
        };
    }

    private serve(connection: Connection): void {
        this.connections++;
        if (this.drop-- > 0) {
            connection.end();
            return;
        }
        this.open++;
        this.mostOpen = Math.max(this.mostOpen, this.open);
        connection.on("close", () => this.open--).on("error", () => undefined);
        connection.on("authentication", (context) => (this.isAllowed(context) ? context.accept() : context.reject()));
        connection.on("session", (accept) => {
            accept().on("exec", (acceptExec, _reject, { command }) => {
                const channel = acceptExec();
                if (command === "vanish") {
                    connection.end();
                    return;
                }
                const child = spawn("/bin/sh", ["-c", command]);
                child.stdin.on("error", () => undefined);
                channel.pipe(child.stdin);
                child.stdout.pipe(channel, { end: false });
                child.stderr.pipe(channel.stderr, { end: false });
                child.on("close", (code) => {
                    channel.exit(code ?? 1);
                    channel.end();
                });
            });
        });
    }

    private isAllowed(context: AuthContext): boolean {
        const key = utils.parseKey(this.client.public);
        if (context.method !== "publickey" || key instanceof Error) {
            return false;
        }
        return (
            context.key.data.equals(key.getPublicSSH()) &&
            (context.signature === undefined ||
                key.verify(context.blob ?? Buffer.alloc(0), context.signature, context.hashAlgo))
        );
    }
}

let sample: Sample;
let machine: Machine;
beforeEach(async () => {
    sample = new Sample();
    machine = new Machine();
    await machine.start();
});
afterEach(() => {
    machine.stop();
    sample.remove();
});

const message = async (work: Promise<unknown>): Promise<string> =>
    work.then(
        () => "it went well",
        (error: unknown) => (error as Error).message,
    );

test("runs a script from standard input, gives its output without the last newline, and again on a change", async () => {
    const program = (script: string) => () => {
        const step = new remote.Command("step", {
            connection: machine.connectionArgs(),
            create: "bash -s -- create",
            delete: "bash -s -- delete",
            stdin: script,
        });
        return { stdout: step.stdout, stderr: step.stderr };
    };
    const script = `echo "$1 one" >> ${sample.log}; printf 'a\\nb\\n'; echo warn >&2`;
    const engine = sample.engine(program(script));
    await engine.up();
    expect(await engine.outputs({ showSecrets: false })).toEqual({ stdout: "a\nb", stderr: "warn" });
    await engine.up();
    expect(machine.connections).toBe(1);
    await sample.engine(program(script.replace("one", "two"))).up();
    await engine.destroy();
    expect(sample.ran()).toEqual(["create one", "create two", "delete two"]);
    expect(machine.connections).toBe(3);
});

test("a large standard input arrives whole", async () => {
    const stdin = "0123456789abcdef\n".repeat(400_000);
    const engine = sample.engine(() => ({
        size: new remote.Command("big", { connection: machine.connectionArgs(), create: "wc -c", stdin }).stdout,
    }));
    await engine.up();
    expect(Number((await engine.outputs({ showSecrets: false }))["size"])).toBe(stdin.length);
});

test("another host key is refused before any command runs", async () => {
    const other = ed25519();
    const engine = sample.engine(
        () =>
            void new remote.Command("step", {
                connection: machine.connectionArgs({ hostKey: other.public, dialErrorLimit: 0 }),
                create: `touch ${sample.log}`,
            }),
    );
    expect(await message(engine.up())).toMatch(
        /^step .*no SSH connection to root@127.0.0.1:\d+ .*(host|verification)/is,
    );
    expect(sample.ran()).toEqual([]);
});

test("a refused key says so after as many attempts as allowed", async () => {
    const other = ed25519();
    const engine = sample.engine(
        () =>
            void new remote.Command("step", {
                connection: machine.connectionArgs({ privateKey: other.private, dialErrorLimit: 1 }),
                create: "true",
            }),
    );
    expect(await message(engine.up())).toMatch(/after 2 attempts: .*authentication/i);
    expect(machine.connections).toBe(2);
});

test("connecting is tried again until the machine takes it", async () => {
    machine.drop = 2;
    const engine = sample.engine(
        () => void new remote.Command("step", { connection: machine.connectionArgs(), create: "true" }),
    );
    await engine.up();
    expect(machine.connections).toBe(3);
});

test("a failed command shows its exit status and last lines, and never its standard input", async () => {
    const engine = sample.engine(
        () =>
            void new remote.Command("step", {
                connection: machine.connectionArgs(),
                create: "bash -s",
                stdin: "secret=swordfish\nfor i in $(seq 100); do echo line $i; done; echo broken >&2; exit 7",
            }),
    );
    const text = await message(engine.up());
    expect(text).toMatch(/exit status 7: running "bash -s":\n/);
    expect(text).toContain("broken");
    expect(text).not.toContain("swordfish");
    expect(text.split("\n").length).toBeLessThan(60);
});

test("a lost connection is a failure of that step", async () => {
    const engine = sample.engine(
        () => void new remote.Command("step", { connection: machine.connectionArgs(), create: "vanish" }),
    );
    expect(await message(engine.up())).toMatch(/step .*the connection was lost before it ended: running "vanish"/s);
});

test("steps run at once, each on a connection of its own, at most 32 of them", async () => {
    const engine = sample.engine(() => {
        for (let index = 0; index < 40; index++) {
            new remote.Command(`step-${index}`, { connection: machine.connectionArgs(), create: "sleep 0.5" });
        }
    });
    await engine.up();
    expect(machine.connections).toBe(40);
    expect(machine.mostOpen).toBeGreaterThan(8);
    expect(machine.mostOpen).toBeLessThanOrEqual(32);
});
