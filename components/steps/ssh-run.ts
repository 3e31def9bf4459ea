import { Client, type ConnectConfig, type ServerHostKeyAlgorithm, utils } from "ssh2";

/** A machine's SSH server, and who to be there. */
export interface SshTarget {
    /** Address or name. */
    readonly host: string;
    readonly port: number;
    readonly user: string;
    /** Text of a private key without a passphrase. */
    readonly privateKey: string;
    /** The only key that the machine may prove itself with: `ssh-ed25519 AAAA…`. */
    readonly hostKey: string;
}

export interface SshAnswer {
    /** Undefined where a signal ended the command. */
    readonly code: number | undefined;
    readonly stdout: string;
    readonly stderr: string;
}

/**
 * Why there was no answer. `unreachable`: no SSH server answers; `host-key`: another one than expected does; `login`:
 * it does not accept the user; `lost`: the connection ended, or the time was over, before the command did.
 */
export type SshFailureKind = "unreachable" | "host-key" | "login" | "lost";

export class SshFailure extends Error {
    /** @param offered the key that the machine proved itself with, where that was another one than expected. */
    constructor(
        readonly kind: SshFailureKind,
        message: string,
        readonly offered?: string,
    ) {
        super(message);
    }
}

/**
 * Runs one command on a machine and gives it its standard input.
 *
 * @param limits seconds to connect and log in, and for the command.
 * @throws SshFailure where the command couldn't be run to its end.
 */
export async function runOverSsh(
    target: SshTarget,
    command: string,
    input: string,
    limits: { readonly connect: number; readonly run: number } = { connect: 10, run: 60 },
): Promise<SshAnswer> {
    const client = await connect(target, limits.connect);
    try {
        return await execute(client, command, input, limits.run);
    } finally {
        client.destroy();
    }
}

function connect(target: SshTarget, seconds: number): Promise<Client> {
    const pinned = utils.parseKey(target.hostKey);
    if (pinned instanceof Error) {
        throw new SshFailure("host-key", `the host key that is expected can't be read: ${pinned.message}`);
    }
    const expected = pinned.getPublicSSH();
    const kinds = pinned.type === "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"] : [pinned.type];
    let offered: Buffer | undefined;
    const config: ConnectConfig = {
        host: target.host,
        port: target.port,
        username: target.user,
        privateKey: target.privateKey,
        readyTimeout: seconds * 1000,
        algorithms: { serverHostKey: kinds as ServerHostKeyAlgorithm[] },
        hostVerifier: (key: Buffer) => {
            offered = key;
            return key.equals(expected);
        },
    };
    return new Promise((resolve, reject) => {
        const client = new Client();
        client.once("ready", () => {
            client.removeAllListeners("error").on("error", () => undefined);
            resolve(client);
        });
        client.once("error", (error: Error & { readonly level?: string }) => {
            client.on("error", () => undefined);
            client.destroy();
            const other = offered !== undefined && !offered.equals(expected) ? offered : undefined;
            reject(failure(error, pinned.type, other));
        });
        client.connect(config);
    });
}

function failure(error: Error & { readonly level?: string }, type: string, offered: Buffer | undefined): SshFailure {
    if (offered !== undefined) {
        return new SshFailure("host-key", error.message, `${type} ${offered.toString("base64")}`);
    }
    if (error.level === "client-authentication") {
        return new SshFailure("login", error.message);
    }
    // No key of the kind that is expected: the machine has others.
    if (/host key format|no matching host key/i.test(error.message)) {
        return new SshFailure("host-key", `it has no host key of the kind ${type}`);
    }
    return new SshFailure("unreachable", error.message);
}

function execute(client: Client, command: string, input: string, seconds: number): Promise<SshAnswer> {
    return new Promise((resolve, reject) => {
        const timer = setTimeout(() => lost(`it didn't end within ${seconds} seconds`), seconds * 1000);
        const lost = (why: string): void => {
            clearTimeout(timer);
            reject(new SshFailure("lost", why));
        };
        client.once("close", () => lost("the connection was lost"));
        client.exec(command, (error, channel) => {
            if (error) {
                lost(error.message);
                return;
            }
            let [stdout, stderr] = ["", ""];
            let code: number | undefined;
            channel.setEncoding("utf8").on("data", (chunk: string) => (stdout += chunk));
            channel.stderr.setEncoding("utf8").on("data", (chunk: string) => (stderr += chunk));
            channel.on("error", () => undefined);
            channel.on("exit", (status: number | null) => (code = status ?? undefined));
            channel.on("close", () => {
                clearTimeout(timer);
                resolve({ code, stdout, stderr });
            });
            channel.end(input);
        });
    });
}
