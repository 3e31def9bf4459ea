import { connect } from "node:net";
import { proxyFor } from "./proxy";

/**
 * Why a server, or the proxy that leads to it, takes no TCP connection within the time, name look-up included; undefined where it does.
 *
 * @param limit in milliseconds.
 */
export function whyUnreachable(url: string, limit: number): Promise<string | undefined> {
    const { hostname, port, protocol } = proxyFor(url) ?? new URL(url);
    return new Promise((resolve) => {
        const settle = (reason: string | undefined): void => {
            clearTimeout(timer);
            socket.destroy();
            resolve(reason === undefined ? undefined : `${hostname} can't be reached (${reason})`);
        };
        const host = hostname.replace(/^\[(.*)\]$/, "$1");
        const socket = connect({ host, port: Number(port || (protocol === "http:" ? 80 : 443)) });
        // socket.setTimeout doesn't count the time that a name look-up takes
        const timer = setTimeout(() => settle(`no answer within ${limit / 1000} s`), limit);
        socket.once("connect", () => settle(undefined));
        socket.once("error", (error: NodeJS.ErrnoException) => settle(error.code ?? error.message));
    });
}
