import { spawn } from "node:child_process";
import { endingWithParent } from "../support/ends-with-parent";
import type { ClusterAccess } from "./cluster-access";

const DEADLINE_SECONDS = 15;

/**
 * Calls `use` with the URL of a pod's port on loopback, as `kubectl port-forward` opens it.
 *
 * @throws Error with kubectl's words when the port doesn't open within 15 seconds.
 */
export async function forwarded<T>(
    cluster: ClusterAccess,
    namespace: string,
    pod: string,
    port: number,
    use: (url: string) => Promise<T>,
): Promise<T> {
    const [file, ...args] = endingWithParent(
        cluster.kubectlCommand(["-n", namespace, "port-forward", `pod/${pod}`, `:${port}`]),
    );
    const child = spawn(file, args, { stdio: ["ignore", "pipe", "pipe"] });
    try {
        const url = await new Promise<string>((resolve, reject) => {
            let output = "";
            const timer = setTimeout(() => {
                reject(new Error(`port-forward to ${pod} did not open: ${output.trim()}`));
            }, DEADLINE_SECONDS * 1000);
            const read = (chunk: Buffer): void => {
                output += chunk.toString();
                const local = /127\.0\.0\.1:(\d+)/.exec(output)?.[1];
                if (local !== undefined) {
                    clearTimeout(timer);
                    resolve(`http://127.0.0.1:${local}`);
                }
            };
            child.stdout.on("data", read);
            child.stderr.on("data", read);
            child.on("close", () => {
                clearTimeout(timer);
                reject(new Error(`port-forward to ${pod} ended: ${output.trim()}`));
            });
        });
        return await use(url);
    } finally {
        child.kill();
    }
}
