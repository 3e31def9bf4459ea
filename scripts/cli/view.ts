import { writeFileSync } from "node:fs";
import { extname } from "node:path";
import pc from "picocolors";
import { UserError } from "../support/errors";
import { givenPath } from "../support/working-directory";
import { answersOf } from "../view/answers";
import { toHtmlFile, toSvgFile } from "../view/export";
import { LiveLab } from "../view/live/lab";
import { pageFiles } from "../view/server/page-files";
import { serve } from "../view/server/server";
import { openCluster } from "./open-cluster";
import type { Stack } from "./stack";

/** Seconds that machines and API have for their first answer, before a picture is made without it. */
const PATIENCE = 20;

export interface ViewOptions {
    /** Port of 127.0.0.1; 0: a free one. */
    readonly port: number;
}

/** Serves a page that shows the running lab, until it is interrupted. @throws UserError when the stack isn't up. */
export async function view(stack: Stack, { port }: ViewOptions): Promise<void> {
    const cluster = await openCluster(stack);
    const lab = await LiveLab.start(cluster);
    try {
        const interrupted = new Promise<void>((resolve) => {
            for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
                process.once(signal, resolve);
            }
        });
        const server = await serve(pageFiles(), answersOf(cluster, lab), port);
        console.log(`The lab, live: ${pc.bold(server.url)}\nOnly who has this address sees it. Ctrl-C ends it.`);
        await interrupted;
        await server.close();
    } finally {
        lab.stop();
    }
}

/** Makes a picture of the running lab. @throws UserError for a name that ends with neither .svg nor .html. */
export async function exportView(stack: Stack, name: string): Promise<void> {
    const file = givenPath(name);
    const kind = extname(file);
    if (kind !== ".svg" && kind !== ".html") {
        throw new UserError(`"${name}" is no picture that can be made: its name ends with .svg or .html.`);
    }
    const lab = await LiveLab.start(await openCluster(stack));
    try {
        const { model } = await lab.settled(PATIENCE);
        writeFileSync(file, kind === ".svg" ? toSvgFile(model) : toHtmlFile(model, new Date().toISOString()));
        console.log(file);
    } finally {
        lab.stop();
    }
}
