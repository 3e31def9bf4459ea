import { createRequire } from "node:module";
import { join, sep } from "node:path";
import type { Deployment } from "./deployment";
import { EngineMonitor } from "./monitor";
import type { Run } from "./run";
import { config as sdkConfig, settings, stack as sdkStack } from "./sdk";
import type { Config } from "./config";

/** The organization of every stack in a backend without one. */
const ORGANIZATION = "organization";

/** A Pulumi program: what it returns are the stack's outputs. */
export type Program = () => Promise<Record<string, unknown>>;

/**
 * The program in a file, as the Pulumi language host runs it: its exports are the outputs. Loaded anew each time: a module that
 * was loaded before would register nothing, and all the stack has would be deleted.
 */
export function programOf(main: string): Program {
    return async () => {
        const load = createRequire(join(main, ".."));
        const file = load.resolve(main);
        delete load.cache[file];
        const before = new Set(Object.keys(load.cache));
        if (load.cache[file] !== undefined) {
            throw new Error(`${main} was loaded before and can't be loaded anew here: run it in a process of its own`);
        }
        try {
            const exported = load(main) as Record<string, unknown> | (() => unknown);
            return (await (typeof exported === "function" ? exported() : exported)) as Record<string, unknown>;
        } finally {
            const inDependency = `${sep}node_modules${sep}`;
            for (const file of Object.keys(load.cache).filter(
                (each) => !before.has(each) && !each.includes(inDependency),
            )) {
                delete load.cache[file];
            }
        }
    };
}

/**
 * Runs a program against a deployment, in this process. Ends when the program is done and all it registered is, or when the
 * run was stopped.
 *
 * An error of the program's own stops the run.
 */
export async function runProgram(
    program: Program,
    deployment: Deployment,
    run: Run,
    identity: { readonly project: string; readonly stack: string },
    config: Config,
): Promise<void> {
    settings.setMockOptions(
        new EngineMonitor(deployment, run, `${ORGANIZATION}/${identity.project}/${identity.stack}`),
        identity.project,
        identity.stack,
        run.preview,
        ORGANIZATION,
    );
    sdkConfig.setAllConfig({ ...config });
    const onError = (error: unknown): void => {
        run.programFailed(error);
    };
    // Kept from the SDK, which would let it go on as several unhandled rejections.
    const failed = (error: unknown): Record<string, unknown> => {
        run.programFailed(error);
        return {};
    };
    process.on("unhandledRejection", onError);
    process.on("uncaughtException", onError);
    // The SDK keeps the stack of each promise as text. To translate those by source maps takes half a second, and nobody reads them;
    // an error's own stack is made into text when it is shown, after the run.
    const translated = process.sourceMapsEnabled === true;
    process.setSourceMapsEnabled(false);
    try {
        const whole = sdkStack
            .runInPulumiStack(() => program().catch(failed))
            .then(() => settledCalls(deployment))
            .catch(onError);
        await Promise.race([whole, run.stopping]);
        await turn();
    } finally {
        process.setSourceMapsEnabled(translated);
        process.off("unhandledRejection", onError);
        process.off("uncaughtException", onError);
    }
}

/** Calls that begin as others end are waited for too. */
async function settledCalls(deployment: Deployment): Promise<void> {
    for (let seen = -1; seen !== deployment.size;) {
        seen = deployment.size;
        await settings.disconnect();
        await turn();
    }
}

async function turn(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
}
