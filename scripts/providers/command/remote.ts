import { setTimeout as delay } from "node:timers/promises";
import { Client, utils, type ConnectConfig, type ServerHostKeyAlgorithm } from "ssh2";
import { commandType, OutputCollector, whyCut, type CommandInputs, type CommandResult, type Runner } from "./command";
import type { Properties } from "../value";

interface Connection {
    readonly host: string;
    readonly port?: number;
    readonly user?: string;
    readonly password?: string;
    readonly privateKey?: string;
    readonly privateKeyPassword?: string;
    readonly agentSocketPath?: string;
    /** Public key of the machine, as in known_hosts. */
    readonly hostKey?: string;
    /** Failed attempts after which to give up; -1 never. */
    readonly dialErrorLimit?: number;
    /** Seconds per attempt; 0 has no limit. */
    readonly perDialTimeout?: number;
    readonly proxy?: Properties;
}

interface RemoteInputs extends CommandInputs {
    readonly connection: Connection;
}

/** An SSH server turns new ones away where ten of them haven't proved yet who they are: sshd_config(5), MaxStartups. */
const DIALLING_PER_MACHINE = 8;
/** More than a machine has steps that wait for one another: with fewer, those that are waited for might never have their turn. */
const OPEN_PER_MACHINE = 24;
const RETRY = { first: 100, factor: 1.5, longest: 5000 };

/** Runs a command on another machine, over an SSH connection of its own. */
const run: Runner = async (command, properties, environment, { signal, log }) => {
    const inputs = properties as unknown as RemoteInputs;
    const { dialling, open } = turnsOf(inputs.connection);
    await open.take();
    let client: Client;
    try {
        await dialling.take();
        client = await dial(inputs.connection, signal).finally(() => dialling.give());
    } catch (error) {
        open.give();
        throw error;
    }
    client.once("close", () => open.give());
    try {
        return await execute(client, command, inputs, environment, signal, log);
    } finally {
        client.end();
    }
};

/** `command:remote:Command` */
export const remoteCommand = commandType(run);

/** Connects, with retries and growing pauses between them, as pulumi-command does. */
async function dial(connection: Connection, signal: AbortSignal): Promise<Client> {
    const { host, port = 22, user = "root", dialErrorLimit = 10 } = connection;
    const config = connectConfig(connection);
    for (let attempt = 1, pause = RETRY.first; ; attempt++, pause = Math.min(pause * RETRY.factor, RETRY.longest)) {
        try {
            return await connect(config, signal);
        } catch (error) {
            const endpoint = `${user}@${host}:${port}`;
            if (signal.aborted || (dialErrorLimit >= 0 && attempt > dialErrorLimit)) {
                throw new Error(
                    `no SSH connection to ${endpoint} after ${attempt} attempts: ${(error as Error).message}`,
                );
            }
            await delay(pause, undefined, { signal }).catch(() => undefined);
        }
    }
}

function connectConfig(connection: Connection): ConnectConfig {
    const { host, port = 22, user = "root", perDialTimeout = 15, hostKey, proxy } = connection;
    if (proxy) {
        throw new Error("this command provider has no SSH proxies");
    }
    const agent = connection.agentSocketPath ?? process.env["SSH_AUTH_SOCK"];
    return {
        host,
        port,
        username: user,
        readyTimeout: perDialTimeout * 1000,
        keepaliveInterval: 15_000,
        keepaliveCountMax: 8,
        ...(connection.privateKey ? { privateKey: connection.privateKey } : {}),
        ...(connection.privateKeyPassword ? { passphrase: connection.privateKeyPassword } : {}),
        ...(connection.password ? { password: connection.password } : {}),
        ...(agent && !connection.privateKey ? { agent } : {}),
        ...(hostKey ? pinned(hostKey) : {}),
    };
}

/** Accepts the machine's one key, and asks for no other kind. */
function pinned(hostKey: string): Pick<ConnectConfig, "hostVerifier" | "algorithms"> {
    const key = utils.parseKey(hostKey.trim());
    if (key instanceof Error) {
        throw new Error(`the connection's hostKey isn't a public key: ${key.message}`);
    }
    const expected = key.getPublicSSH();
    const algorithms = key.type === "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"] : [key.type];
    return {
        hostVerifier: (offered: Buffer) => offered.equals(expected),
        algorithms: { serverHostKey: algorithms as ServerHostKeyAlgorithm[] },
    };
}

function connect(config: ConnectConfig, signal: AbortSignal): Promise<Client> {
    return new Promise((resolve, reject) => {
        signal.throwIfAborted();
        const client = new Client();
        const abort = (): void => void client.destroy();
        signal.addEventListener("abort", abort, { once: true });
        client.once("ready", () => {
            signal.removeEventListener("abort", abort);
            client.removeAllListeners("error").removeAllListeners("close");
            resolve(client);
        });
        client.once("error", (error) => {
            client.on("error", () => undefined);
            client.destroy();
            reject(error);
        });
        client.once("close", () => {
            signal.removeEventListener("abort", abort);
            reject(new Error("the connection was closed"));
        });
        client.connect(config);
    });
}

function execute(
    client: Client,
    command: string,
    { stdin, logging }: RemoteInputs,
    environment: Readonly<Record<string, string>>,
    signal: AbortSignal,
    log: (line: string) => void,
): Promise<CommandResult> {
    const output = new OutputCollector(logging, log);
    return new Promise((resolve, reject) => {
        let ended: { readonly code: number | null; readonly signal: string | undefined } | undefined;
        const abort = (): void => void client.destroy();
        signal.addEventListener("abort", abort, { once: true });
        const finish = (): void => {
            signal.removeEventListener("abort", abort);
            if (ended?.code === 0) {
                resolve(output.result());
            } else if (ended) {
                const how = ended.code === null ? `ended by signal ${ended.signal}` : `exit status ${ended.code}`;
                reject(output.failure(how, command));
            } else {
                const why = signal.aborted ? whyCut(signal) : "the connection was lost before it ended";
                reject(output.failure(why, command));
            }
        };
        client.on("error", () => undefined).once("close", finish);
        if (signal.aborted) {
            abort();
            return;
        }
        client.exec(command, { env: { ...environment } }, (error, channel) => {
            if (error) {
                signal.removeEventListener("abort", abort);
                reject(output.failure(error.message, command));
                return;
            }
            channel.setEncoding("utf8").on("data", (chunk: string) => output.add("stdout", chunk));
            channel.stderr.setEncoding("utf8").on("data", (chunk: string) => output.add("stderr", chunk));
            channel.on("error", () => undefined);
            channel.on("exit", (code: number | null, killedBy?: string) => (ended = { code, signal: killedBy }));
            channel.on("close", finish);
            channel.end(stdin ?? "");
        });
    });
}

/** Limits the number of open connections; the others wait. */
class Slots {
    private readonly waiting: (() => void)[] = [];

    constructor(private free: number) {}

    async take(): Promise<void> {
        if (this.free > 0) {
            this.free--;
            return;
        }
        await new Promise<void>((resolve) => this.waiting.push(resolve));
    }

    give(): void {
        const next = this.waiting.shift();
        if (next) {
            next();
        } else {
            this.free++;
        }
    }
}

interface Turns {
    readonly dialling: Slots;
    readonly open: Slots;
}

/** By machine: one that is slow, or has many steps that wait, keeps no other from its own. */
const turns = new Map<string, Turns>();

function turnsOf({ host, port = 22 }: Connection): Turns {
    const machine = `${host}:${port}`;
    const known = turns.get(machine);
    if (known !== undefined) {
        return known;
    }
    const made = { dialling: new Slots(DIALLING_PER_MACHINE), open: new Slots(OPEN_PER_MACHINE) };
    turns.set(machine, made);
    return made;
}
