import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:https";
import { join } from "node:path";
import type { NetworkSettings } from "../contract";
import { moreImages } from "../names";
import { ImageStore } from "./image-store";
import { registryAddress } from "./process";
import { registryHandler } from "./server";
import { Upstreams } from "./upstream";

/** Serves a lab's images until it is ended. `main.ts FILE`: the file is the lab's network settings as JSON. */
async function main(file: string): Promise<void> {
    const lab = JSON.parse(readFileSync(file, "utf8")) as NetworkSettings;
    const store = await ImageStore.open(join(lab.partsDirectory, "images"));
    const upstreams = new Upstreams(lab.offline);
    // The first pull needn't wait for these.
    store.registries().forEach((registry) => void upstreams.reachable(registry));
    const more = moreImages(lab.lab);
    const handle = registryHandler(store, upstreams, () => (existsSync(more) ? store.addAll(more) : Promise.resolve()));
    const server = createServer({ cert: lab.registryCertificate, key: lab.registryKey }, (request, response) => {
        response.on("finish", () => {
            console.log(
                `${request.socket.remoteAddress ?? "-"} ${request.method ?? ""} ${request.url ?? ""} ${response.statusCode}`,
            );
        });
        handle(request, response).catch((error: unknown) => {
            console.error(error);
            response.destroy();
        });
    });
    server.on("error", (error) => {
        console.error(error.message);
        process.exit(1);
    });
    const address = registryAddress(lab);
    server.listen(lab.registryPort, address, () => {
        console.log(`serving ${store.registries().join(", ")} on ${address}:${lab.registryPort}`);
    });
}

main(process.argv[2] ?? "").catch((error: unknown) => {
    console.error(error);
    process.exit(1);
});
