import { join } from "node:path";
import { Stack } from "../../scripts/cli/stack";
import { serveMoreImages } from "../../scripts/machines/more-images";
import { ensureParts } from "../../scripts/parts";
import { imagesOf } from "../../scripts/parts/images-of";
import { buildProvider } from "./provider";

/**
 * `offline.ts [stack]`: what the example needs where the internet can't be reached. Has the registry of the stack's local lab serve the
 * application's images, and builds Pulumi's provider for Kubernetes.
 */
async function main(stack: string): Promise<void> {
    const note = (line: string): void => console.error(line);
    const { lab } = new Stack(join(__dirname, "../.."), stack).outputs();
    const images = imagesOf("app", await ensureParts({ source: "auto", extras: ["app"] }, note));
    if (images.length === 0) {
        note("The parts were downloaded: nodes pull the application's images.");
    } else if (lab?.provider !== "local") {
        note(`Only a local lab has a registry here: the nodes of ${stack} pull the application's images.`);
    } else {
        serveMoreImages(lab.name, images);
    }
    console.log(`export PATH=${await buildProvider(note)}:$PATH`);
}

main(process.argv[2] ?? "kubenet").catch((error: unknown) => {
    console.error((error as Error).message);
    process.exitCode = 1;
});
