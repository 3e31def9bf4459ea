import { spawn } from "node:child_process";
import type { AddressInfo } from "node:net";
import type { remote as inputs } from "@pulumi/command/types/input";
import { Server, utils, type AuthContext, type Connection } from "ssh2";

/** A key pair. About one in 200 of those that ssh2 makes is one that it can't read itself. */
export function ed25519(): ReturnType<typeof utils.generateKeyPairSync> {
    for (;;) {
        const pair = utils.generateKeyPairSync("ed25519");
        if (!(utils.parseKey(pair.private) instanceof Error)) {
            return pair;
        }
    }
}

/** A machine on the loopback that takes one key and runs commands by /bin/sh; it counts its connections. */
export class SshMachine {
    readonly client = ed25519();
    readonly hostKeys = {
        ed25519: ed25519(),
        ecdsa: utils.generateKeyPairSync("ecdsa", { bits: 256 }),
    };
    connections = 0;
    open = 0;
    mostOpen = 0;
    /** Seconds until whoever connects is let in. */
    logInSeconds = 0;
    /** The most connections at once that hadn't been let in yet. */
    mostUnproved = 0;
    private unproved = 0;
    /** Connections to drop before any is taken. */
    drop = 0;
    private readonly server = new Server(
        { hostKeys: [this.hostKeys.ecdsa.private, this.hostKeys.ed25519.private] },
        (connection) => this.serve(connection),
    );

    async start(): Promise<void> {
        await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    }

    get port(): number {
        return (this.server.address() as AddressInfo).port;
    }

    stop(): void {
        this.server.close();
    }

    connectionArgs(changes: Partial<inputs.ConnectionArgs> = {}): inputs.ConnectionArgs {
        return {
            host: "127.0.0.1",
            port: this.port,
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
        this.unproved++;
        this.mostUnproved = Math.max(this.mostUnproved, this.unproved);
        let isProved = false;
        const proved = (): void => {
            this.unproved -= isProved ? 0 : 1;
            isProved = true;
        };
        connection
            .on("ready", proved)
            .on("close", () => {
                proved();
                this.open--;
            })
            .on("error", () => undefined);
        connection.on("authentication", (context) => {
            const answer = (): void => (this.isAllowed(context) ? context.accept() : context.reject(["publickey"]));
            setTimeout(answer, this.logInSeconds * 1000);
        });
        connection.on("session", (accept) => {
            accept().on("exec", (acceptExec, _reject, { command }) => {
                const channel = acceptExec();
                if (command === "vanish") {
                    connection.end();
                    return;
                }
                const child = spawn("/bin/sh", ["-c", command], { env: process.env });
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
