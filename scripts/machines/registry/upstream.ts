import { connect } from "node:net";

/** How long an answer about a registry holds, in milliseconds. */
const HOLDS = 60_000;
/** How long a registry has to take a TCP connection, name look-up included, in milliseconds. */
const TIMEOUT = 1_000;

/** Says whether the registries that images come from can be reached from this host. */
export class Upstreams {
    private readonly answers = new Map<string, { readonly at: number; readonly reachable: Promise<boolean> }>();

    /** @param connects whether `host:port` takes a TCP connection in time */
    constructor(
        private readonly offline: boolean,
        private readonly connects: (host: string, port: number) => Promise<boolean> = takesConnection,
        private readonly now: () => number = Date.now,
    ) {}

    /** @param registry as in an image's name: `docker.io`, `registry.example:5000` */
    reachable(registry: string): Promise<boolean> {
        if (this.offline) {
            return Promise.resolve(false);
        }
        const known = this.answers.get(registry);
        if (known && this.now() - known.at < HOLDS) {
            return known.reachable;
        }
        const { host, port } = endpoint(registry);
        const reachable = this.connects(host, port);
        this.answers.set(registry, { at: this.now(), reachable });
        return reachable;
    }
}

/** Where the registry of an image's name is served. Docker Hub's name is not its server's. */
export function endpoint(registry: string): { readonly host: string; readonly port: number } {
    const [host = "", port] = registry.split(":");
    return {
        host: host === "docker.io" ? "registry-1.docker.io" : host,
        port: port === undefined ? 443 : Number(port),
    };
}

function takesConnection(host: string, port: number): Promise<boolean> {
    return new Promise((resolve) => {
        const socket = connect({ host, port });
        const settle = (answer: boolean) => () => {
            clearTimeout(timer);
            socket.destroy();
            resolve(answer);
        };
        // socket.setTimeout doesn't count the time a name look-up takes
        const timer = setTimeout(settle(false), TIMEOUT);
        socket.once("connect", settle(true)).once("error", settle(false));
    });
}
