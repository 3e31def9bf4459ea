import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sshCommandLine, type SshLogin, sshWords } from "../../../components/steps/ssh-command";
import { wordsOf } from "../../../scripts/support/words";
import { bash, temporaryDirectory } from "../../support/bash";
import { ed25519, SshMachine } from "../../support/ssh-machine";

const machine = new SshMachine();
const directory = temporaryDirectory();
beforeAll(() => machine.start());
afterAll(() => {
    machine.stop();
    directory.remove();
});

/** Files of an identity in a directory with this name. */
function login(name: string, changes: Partial<SshLogin> = {}): SshLogin {
    const path = join(directory.path, name);
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, "id"), machine.client.private, { mode: 0o600 });
    const known = [
        `worker-1 ${machine.hostKeys.ed25519.public.split(" ").slice(0, 2).join(" ")}`,
        `stranger ${ed25519().public}`,
    ];
    writeFileSync(join(path, "known_hosts"), `${known.join("\n")}\n`);
    return {
        machine: "worker-1",
        address: "127.0.0.1",
        port: machine.port,
        user: "root",
        keyFile: join(path, "id"),
        knownHosts: join(path, "known_hosts"),
        ...changes,
    };
}

function ssh(words: readonly string[], cwd = "/"): Promise<{ readonly code: number | null; readonly output: string }> {
    // An agent that isn't there any more would be asked.
    const env = { ...process.env, SSH_AUTH_SOCK: join(directory.path, "no-agent") };
    const child = spawn("ssh", words, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
    }
    return new Promise((resolve) => child.on("close", (code) => resolve({ code, output })));
}

const NAMES = [
    "plain",
    "a blank",
    "two  blanks",
    "per%41cent %h",
    `quote's and "more"`,
    "back\\slash",
    "ünïcödé",
    "l".repeat(200),
];

test.each(NAMES)("a machine is reached by files in a directory named %p", async (name) => {
    expect(await ssh([...sshWords(login(name)), "echo", "hello"])).toEqual({ code: 0, output: "hello\n" });
});

test("paths may be from where ssh runs, and begin with a tilde that is no home directory", async () => {
    login("~tilde");
    const files = { keyFile: "~tilde/id", knownHosts: "~tilde/known_hosts" };
    expect(await ssh([...sshWords(login("~tilde", files)), "echo hello"], directory.path)).toMatchObject({ code: 0 });
});

test("a machine that proves itself with another key than its own isn't reached", async () => {
    const { code, output } = await ssh([...sshWords(login("plain", { machine: "stranger" })), "true"]);
    expect([code, output]).toEqual([255, expect.stringMatching(/verification failed|IDENTIFICATION HAS CHANGED/)]);
});

test("nothing of the user's own SSH counts, and nothing is asked", () => {
    const words = sshWords(login("plain")).join(" ");
    expect(words).toMatch(/^-F none -p \d+ -o IdentityFile=/);
    for (const option of [
        "IdentitiesOnly=yes",
        "IdentityAgent=none",
        "GlobalKnownHostsFile=/dev/null",
        "BatchMode=yes",
    ]) {
        expect(words).toContain(`-o ${option}`);
    }
});

test.each(NAMES)("the command line for %p is what a shell reads back, and so does this program", (name) => {
    const own = login(name);
    const expected = ["ssh", ...sshWords(own)];
    const { stdout } = bash(`printf '%s\\0' ${sshCommandLine(own)}`);
    expect(stdout.split("\0").slice(0, -1)).toEqual(expected);
    expect(wordsOf(sshCommandLine(own))).toEqual(expected);
});
