import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ClusterAccess } from "../../cli/cluster-access";
import { UserError } from "../../support/errors";
import { startLineProcess } from "./line-process";

/** The lists that are read, and nothing else passes. */
export const LISTS = {
    nodes: "/api/v1/nodes",
    pods: "/api/v1/pods",
    services: "/api/v1/services",
    slices: "/apis/discovery.k8s.io/v1/endpointslices",
} as const;
const HEALTH = "/livez";

/** A way to the API through `kubectl proxy`, which has the credentials. It only reads, and only the lists above. */
export interface ApiProxy {
    readonly socketPath: string;
    readonly stop: () => void;
}

/** Starts `kubectl proxy` on a Unix socket that only this user can open. @throws UserError when it does not start. */
export async function startApiProxy(cluster: ClusterAccess): Promise<ApiProxy> {
    const directory = mkdtempSync(join(tmpdir(), "kubelab-view-"));
    const socketPath = join(directory, "api.sock");
    const paths = [...Object.values(LISTS), HEALTH].map((path) => path.replaceAll(".", "\\."));
    let isServing = (): void => undefined;
    const serving = new Promise<void>((resolve) => (isServing = resolve));
    const process = startLineProcess(
        cluster.kubectlCommand([
            "proxy",
            `--unix-socket=${socketPath}`,
            `--accept-paths=^(${paths.join("|")})$`,
            "--reject-methods=^(POST|PUT|PATCH|DELETE)$",
        ]),
        {
            cwd: cluster.stack.repository,
            onLine: (line) => {
                if (line.startsWith("Starting to serve")) {
                    isServing();
                }
            },
        },
    );
    const ended = process.ended.then((problem) => {
        rmSync(directory, { recursive: true, force: true });
        throw new UserError(`kubectl proxy: ${problem}`);
    });
    // How it ends later shows in what is asked through it.
    ended.catch(() => undefined);
    await Promise.race([serving, ended]);
    return { socketPath, stop: process.stop };
}

/** Why the API server does not answer, or undefined where it does within `seconds`. */
export function apiProblem(socketPath: string, seconds: number): Promise<string | undefined> {
    return new Promise((resolve) => {
        const asked = request({ socketPath, path: HEALTH }, (answer) => {
            answer.resume();
            // 502 is the proxy's own.
            resolve(answer.statusCode === 200 ? undefined : answer.statusCode === 502 ? "does not answer" : "not live");
        });
        asked.setTimeout(seconds * 1000, () => asked.destroy(new Error(`does not answer within ${seconds} s`)));
        asked.on("error", ({ message }) => resolve(message));
        asked.end();
    });
}
