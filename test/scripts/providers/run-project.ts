import { chooseEngine, type EngineKind } from "../../../scripts/cli/engine";
import { finalState } from "./final-state";

/**
 * One `up` or `destroy` of the project in a directory, as `scripts/lab` does it; prints its counts or its error, and what is
 * in the state then, as JSON.
 */
async function main(repository: string, force: EngineKind, step: string): Promise<void> {
    const engine = await chooseEngine({
        stack: "test",
        repository,
        configOverrides: { "sample:step": step },
        force,
        report: () => undefined,
    });
    const outputs = async (showSecrets: boolean): Promise<object> => engine.outputs({ showSecrets });
    try {
        const { seconds, ...summary } = await (step === "destroy" ? engine.destroy() : engine.up());
        const isTimed = seconds > 0;
        const shown = { hidden: await outputs(false), shown: await outputs(true) };
        const state = finalState(repository, force);
        console.log(JSON.stringify({ ...summary, isTimed, ...shown, exists: await engine.exists(), state }));
    } catch (error) {
        const [message] = (error as Error).message.split("\n");
        const state = finalState(repository, force);
        console.log(JSON.stringify({ message, shown: await outputs(true), exists: await engine.exists(), state }));
    }
}

const [, , repository = "", kind = "offline", step = ""] = process.argv;
void main(repository, kind as EngineKind, step);
