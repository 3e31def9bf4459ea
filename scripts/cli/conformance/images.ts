import { serveMoreImages } from "../../machines/more-images";
import type { PartsDirectory } from "../../parts";
import { imagesOf } from "../../parts/images-of";
import { UserError } from "../../support/errors";
import type { ClusterAccess } from "../cluster-access";
import type { StackNode } from "../stack";

/** Which parts' images a machine has. */
const NOTE = "/var/lib/kubelab/conformance-images";
const TIMEOUT_SECONDS = 600;

/** Paths of the images that the suite's pods run; none where parts came by download: nodes pull upstream's. */
export function imageFiles(parts: PartsDirectory): string[] {
    return imagesOf("conformance", parts);
}

/**
 * Gives the images to containerd on every node that hasn't got them yet, by SSH.
 *
 * @throws UserError with the node and what it said.
 */
export async function giveImages(
    cluster: ClusterAccess,
    parts: PartsDirectory,
    progress: (line: string) => void,
): Promise<void> {
    const files = imageFiles(parts);
    if (files.length > 0) {
        // Some specs have an image pulled that is there.
        const { lab } = cluster.stack.outputs();
        if (lab?.provider === "local") {
            serveMoreImages(lab.name, files);
        }
        await Promise.all(cluster.stack.outputs().nodes.map((node) => giveTo(cluster, node, parts, files, progress)));
    }
}

async function giveTo(
    cluster: ClusterAccess,
    node: StackNode,
    { digest }: PartsDirectory,
    files: readonly string[],
    progress: (line: string) => void,
): Promise<void> {
    const noted = await cluster.tryAsRoot(node, `cat ${NOTE} 2>/dev/null || true`, 20);
    if (noted.code === 0 && noted.stdout.trim() === digest) {
        return;
    }
    for (const [index, file] of files.entries()) {
        progress(`${node.name}: image ${index + 1} of ${files.length}`);
        const { code, stderr } = await cluster.feedAsRoot(node, "ctr -n k8s.io images import -", file, TIMEOUT_SECONDS);
        if (code !== 0) {
            throw new UserError(`${node.name} doesn't take the image ${file}: ${stderr.trim() || `exit ${code}`}`);
        }
    }
    await cluster.asRoot(node, `echo ${digest} >${NOTE}`, 20);
}
