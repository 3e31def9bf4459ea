import { UserError } from "./errors";

/** For the person who reads it: a mistake of theirs as it is, anything else with its stack. */
export function errorText(error: unknown): string {
    if (error instanceof UserError) {
        return error.message;
    }
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** Prints what a command gives back as one line of JSON; where it fails, says why on standard error and ends the process with 1. */
export async function printAnswer(answer: Promise<object>): Promise<void> {
    try {
        process.stdout.write(`${JSON.stringify(await answer)}\n`);
    } catch (error) {
        process.stderr.write(`${errorText(error)}\n`);
        process.exitCode = 1;
    }
}
