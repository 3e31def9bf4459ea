import { UserError } from "./errors";

/** The text of an error: a user's mistake as it is, any other with its stack. */
export function errorText(error: unknown): string {
    if (error instanceof UserError) {
        return error.message;
    }
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** Prints the result of a command as one line of JSON. A failure goes to standard error, with exit code 1. */
export async function printAnswer(answer: Promise<object>): Promise<void> {
    try {
        process.stdout.write(`${JSON.stringify(await answer)}\n`);
    } catch (error) {
        process.stderr.write(`${errorText(error)}\n`);
        process.exitCode = 1;
    }
}
