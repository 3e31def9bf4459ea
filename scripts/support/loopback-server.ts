import { readFileSync } from "node:fs";
import * as grpc from "@grpc/grpc-js";

/** A gRPC server on a free port of 127.0.0.1 that answers processes of this user (and of root) only. */
export async function listenOnLoopback(
    addServices: (server: grpc.Server) => void,
): Promise<{ readonly port: number; readonly close: () => void }> {
    const unlimited = { "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 };
    const server = new grpc.Server({ ...unlimited, interceptors: [ownUserOnly()] });
    addServices(server);
    const port = await new Promise<number>((resolve, reject) =>
        server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
            error ? reject(error) : resolve(bound),
        ),
    );
    return { port, close: () => server.forceShutdown() };
}

/**
 * The protocol has no credentials, and a client of the provider for commands can run any command. So each connection's
 * peer is looked up in /proc/net/tcp (proc(5)).
 */
function ownUserOnly(): grpc.ServerInterceptor {
    const known = new Map<string, boolean>();
    return (_method, call) =>
        new grpc.ServerInterceptingCall(call, {
            start: (next) => {
                const peer = call.getPeer();
                const allowed = known.get(peer) ?? isOwnUser(peer);
                known.set(peer, allowed);
                if (allowed) {
                    next();
                } else {
                    call.sendStatus({ code: grpc.status.PERMISSION_DENIED, details: `${peer} is another user's` });
                }
            },
        });
}

function isOwnUser(peer: string): boolean {
    const port = Number(/^127\.0\.0\.1:(\d+)$/.exec(peer)?.[1]);
    const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, "0")}`;
    const owners = readFileSync("/proc/net/tcp", "utf8")
        .split("\n")
        .map((line) => line.trim().split(/\s+/))
        .filter((fields) => fields[1] === local)
        .map((fields) => Number(fields[7]));
    return owners.length > 0 && owners.every((uid) => uid === 0 || uid === process.getuid?.());
}
