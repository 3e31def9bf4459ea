import { z } from "zod/v3";
import { UserError } from "./errors";

// Drivers are started once a machine. zod's main module reads 60 files of translations first: 0.1 s and more. This one doesn't.
export { z };

/**
 * Reads the JSON object on a driver's standard input.
 *
 * @throws UserError naming each field that is missing or wrong. Values are never repeated: some are secret.
 */
export function parseRequest<Schema extends z.ZodTypeAny>(schema: Schema, text: string): z.output<Schema> {
    const result = schema.safeParse(parseJson(text));
    if (result.success) {
        return result.data as z.output<Schema>;
    }
    const wrong = result.error.issues.map(({ path }) => path.join("."));
    if (wrong.includes("")) {
        throw notAnObject();
    }
    throw new UserError(`Missing or wrong in the request on standard input: ${[...new Set(wrong)].join(", ")}.`);
}

function parseJson(text: string): unknown {
    try {
        return JSON.parse(text);
    } catch {
        throw notAnObject();
    }
}

function notAnObject(): UserError {
    return new UserError("Standard input must be one JSON object.");
}
