import { connect } from "node:net";

/** The SSH server of a machine, as this host reaches it. */
export interface SshServer {
    /** `address:port` */
    readonly where: string;
    /** Whether it takes a connection. */
    answers(): Promise<boolean>;
    /** Milliseconds between two questions. */
    readonly pause: number;
}

/** @param forwards ports of the loopback that lead to the machine, where it has no address that this host reaches. */
export function sshServer(address: string, forwards: Readonly<Record<string, string>> = {}): SshServer {
    const own = `${address}:22`;
    const [where = own] = Object.entries(forwards).find(([, target]) => target === own) ?? [];
    const [host = "", port = ""] = where.split(":");
    // Who forwards a port takes connections to it whether or not there is a server behind: only a greeting tells.
    return where === own
        ? { where, answers: () => opens(host, Number(port), "connect", 100), pause: 20 }
        : { where, answers: () => opens(host, Number(port), "data", 10_000), pause: 500 };
}

/** Whether a TCP connection gets as far as this event within so many milliseconds. */
function opens(host: string, port: number, event: "connect" | "data", patience: number): Promise<boolean> {
    return new Promise((resolve) => {
        const socket = connect({ host, port });
        const settle = (answer: boolean) => () => {
            socket.destroy();
            resolve(answer);
        };
        socket.setTimeout(patience, settle(false)).once(event, settle(true));
        socket.once("error", settle(false)).once("close", settle(false));
    });
}
