import { ensureCli } from "../../scripts/engine/cli";
import { Engine } from "../../scripts/engine/engine";

/**
 * `engine-main.ts up|preview|destroy <stack>`, in a project's directory: the same engine as scripts/lab has, on a program that isn't
 * the repository's own. Prints what was done to resources as one line of JSON.
 */
async function main(verb: string, stack: string): Promise<void> {
    const note = (line: string): void => console.error(line);
    const report = (): void => undefined;
    const engine = new Engine(
        { stack, repository: process.cwd(), configOverrides: {}, report, note },
        await ensureCli(note),
    );
    const run = { up: () => engine.up(), preview: () => engine.preview(), destroy: () => engine.destroy() }[verb];
    if (run === undefined) {
        throw new Error("usage: engine-main.ts up|preview|destroy <stack>");
    }
    console.log(JSON.stringify(await run()));
}

main(process.argv[2] ?? "", process.argv[3] ?? "").catch((error: unknown) => {
    console.error((error as Error).message);
    process.exitCode = 1;
});
