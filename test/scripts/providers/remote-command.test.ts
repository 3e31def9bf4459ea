import { remote } from "@pulumi/command";
import { ed25519, SshMachine } from "../../support/ssh-machine";
import { Sample } from "./support";

let sample: Sample;
let machine: SshMachine;
beforeEach(async () => {
    sample = new Sample();
    machine = new SshMachine();
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
