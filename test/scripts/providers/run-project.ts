import { ensureCli } from "../../../scripts/engine/cli";
import { Engine } from "../../../scripts/engine/engine";
import type { Summary } from "../../../scripts/engine/event";
import { ownPackage, serveInsteadOfPlugin } from "../../../scripts/engine/packages";
import { finalState } from "./final-state";

/** Whose providers do the work: this repository's, or the plugins that are installed. */
export type Providers = "own" | "official";

/**
 * One `up`, `preview` or `destroy` of the project in a directory, as `scripts/lab` does it; prints its counts or its error, and what is in
 * the state then, as JSON.
 */
async function main(repository: string, providers: Providers, step: string): Promise<void> {
    if (providers === "own") {
        for (const name of ["command", "random", "tls"] as const) {
            serveInsteadOfPlugin(await ownPackage(name));
        }
    }
    const cli = await ensureCli(() => undefined);
    const program: Readonly<Record<string, string>> = { refresh: "first", preview: "change-flag" };
    const configOverrides = { "sample:step": program[step] ?? step };
    const engine = new Engine(
        { stack: "test", repository, configOverrides, report: () => undefined, note: () => undefined },
        cli,
    );
    const outputs = (showSecrets: boolean): Promise<object> => engine.outputs({ showSecrets });
    try {
        const { seconds, ...summary } = await operate(engine, step);
        const shown = { hidden: await outputs(false), shown: await outputs(true) };
        print({ ...summary, isTimed: seconds > 0, ...shown, state: finalState(cli.path, repository) });
    } catch (error) {
        print({ message: (error as Error).message, state: finalState(cli.path, repository) });
    }
}

function operate(engine: Engine, step: string): Promise<Summary> {
    switch (step) {
        case "preview":
            return engine.preview();
        case "refresh":
            return engine.up(["--refresh"]);
        case "destroy":
            return engine.destroy();
        default:
            return engine.up();
    }
}

function print(said: object): void {
    console.log(JSON.stringify(said));
}

const [, , repository = "", providers = "own", step = ""] = process.argv;
void main(repository, providers as Providers, step);
