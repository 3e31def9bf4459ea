/** Where programs look for hosts that they reach without a proxy; curl and gRPC read the small one first, Go the other. */
const NAMES = ["no_proxy", "NO_PROXY"] as const;
/** Where it is set, gRPC for Node.js reads this one alone. */
const GRPC = "no_grpc_proxy";

/** This host itself: Go never asks a proxy for it, gRPC for Node.js and curl do. */
export const LOOPBACK = ["localhost", "127.0.0.1", "::1"] as const;

/** Makes this process and its children reach these hosts without the proxies of the environment. */
export function withoutProxy(hosts: readonly string[], environment: NodeJS.ProcessEnv = process.env): void {
    const listed = NAMES.flatMap((name) => split(environment[name]));
    for (const name of NAMES) {
        environment[name] = [...new Set([...listed, ...hosts])].join(",");
    }
    const grpc = split(environment[GRPC]);
    if (grpc.length > 0) {
        environment[GRPC] = [...new Set([...grpc, ...hosts])].join(",");
    }
}

function split(list: string | undefined): string[] {
    return (list ?? "")
        .split(",")
        .map((host) => host.trim())
        .filter((host) => host !== "");
}
