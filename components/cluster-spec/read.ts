import type { z } from "zod";
import { nearest, type Problem, suggest } from "./problems";
import { CONFIG, CONFIG_KEYS, type Config, type ConfigKey } from "./schema";

/** Values by key, without the `kubelab:` before it: texts as Pulumi gives them (JSON for objects), or parsed values. */
export type RawConfig = Readonly<Record<string, unknown>>;

/** Keys whose values no message repeats. */
const SECRET: readonly ConfigKey[] = ["sudoPassword"];

/** Checks every value on its own. `config` holds those that are right; where one isn't, `problems` says why. */
export function readValues(raw: RawConfig): { readonly config: Partial<Config>; readonly problems: Problem[] } {
    const config: Record<string, unknown> = {};
    const problems: Problem[] = [];
    for (const key of CONFIG_KEYS) {
        const given = decode(key, raw[key]);
        const result = CONFIG[key].schema.safeParse(given);
        if (result.success) {
            config[key] = result.data;
        } else {
            const found = result.error.issues.flatMap((issue) => describe(key, given, issue));
            problems.push(...(SECRET.includes(key) ? found.map((each) => ({ ...each, value: undefined })) : found));
        }
    }
    return { config, problems: [...problems, ...unknownKeys(raw).map(unknownKey)] };

    function unknownKey(key: string): Problem {
        const near = nearest(key, CONFIG_KEYS);
        const remedy =
            near === undefined ? "remove it; the keys are listed in Pulumi.yaml" : `did you mean kubelab:${near}?`;
        return { key, value: undefined, problem: "is not a key of this project", remedy };
    }
}

/** The keys of `raw` that this project doesn't have. */
export function unknownKeys(raw: RawConfig): string[] {
    return Object.keys(raw).filter((key) => !Object.hasOwn(CONFIG, key));
}

function decode(key: ConfigKey, value: unknown): unknown {
    const { type, default: fallback } = CONFIG[key];
    if (value === undefined || value === null || value === "") {
        return fallback === "" ? undefined : fallback;
    }
    switch (type) {
        case "string":
            return typeof value === "number" || typeof value === "boolean" ? String(value) : value;
        case "integer":
            return value;
        case "object":
        case "array":
            return typeof value === "string" ? parseJson(value) : value;
    }
}

/** The values as what they stand for: numbers, maps and lists where the config of a stack has texts. Nothing is checked. */
export function decodeValues(raw: RawConfig): RawConfig {
    const known = (key: string): key is ConfigKey => Object.hasOwn(CONFIG, key);
    const decoded = (key: string, value: unknown): unknown => {
        if (!known(key) || value === "") {
            return value;
        }
        const isNumber = CONFIG[key].type === "integer" && typeof value === "string" && /^-?\d+$/.test(value);
        return isNumber ? Number(value) : decode(key, value);
    };
    return Object.fromEntries(Object.entries(raw).map(([key, value]) => [key, decoded(key, value)]));
}

function parseJson(text: string): unknown {
    try {
        return JSON.parse(text);
    } catch {
        return text;
    }
}

/** Translates the validator's findings into terms of the config. */
function describe(key: ConfigKey, given: unknown, issue: z.core.$ZodIssue): Problem[] {
    const at = pathText(key, issue.path);
    const value = valueAt(given, issue.path);
    switch (issue.code) {
        case "custom":
            return [{ key: at, value, problem: issue.message, remedy: String(issue.params?.["remedy"]) }];
        case "invalid_value": {
            const known = issue.values.map(String);
            const text = typeof value === "string" ? value : JSON.stringify(value);
            if (value === undefined) {
                return [{ key: at, value, problem: "is missing", remedy: `choose one of ${known.join(", ")}` }];
            }
            return [{ key: at, value, problem: "is not a known value", remedy: suggest(text, known) }];
        }
        case "unrecognized_keys":
            return issue.keys.map((name) => ({
                key: pathText(key, [...issue.path, name]),
                // It may be a secret under a misspelled name.
                value: /pass|secret|token/i.test(name) ? undefined : valueAt(value, [name]),
                problem: "is not a known setting",
                remedy: suggest(name, settingsAt(CONFIG[key].schema, issue.path)),
            }));
        case "invalid_key":
            return issue.issues.map(({ message, ...inner }) => ({
                key: at,
                value,
                problem: message,
                remedy: String("params" in inner ? inner.params?.["remedy"] : ""),
            }));
        case "too_small":
            return [{ key: at, value, problem: "is empty", remedy: "give at least one, or remove the key" }];
        case "invalid_type":
        case "invalid_union": {
            const { name, how } = EXPECTED[issue.code === "invalid_type" ? issue.expected : "string"] ?? TEXT;
            const problem = value === undefined ? "is missing" : `is not ${name}`;
            return [{ key: at, value, problem, remedy: value === undefined ? `add it as ${name}` : how }];
        }
        case "too_big":
        case "not_multiple_of":
        case "invalid_format":
        case "invalid_element":
            return [{ key: at, value, problem: "is not right", remedy: issue.message }];
    }
}

const TEXT = { name: "a text", how: "write a text, in quotes where it looks like a number" };
const MAP = { name: "a map", how: "write one setting per line below the key" };
const EXPECTED: Readonly<Record<string, { readonly name: string; readonly how: string }>> = {
    object: MAP,
    record: MAP,
    array: { name: "a list", how: 'write one entry per line below the key, each after "- "' },
};

type Path = readonly PropertyKey[];

/** `hosts[0].address` */
function pathText(key: string, path: Path): string {
    return path.reduce<string>(
        (text, part) => text + (typeof part === "number" ? `[${part}]` : `.${String(part)}`),
        key,
    );
}

function valueAt(value: unknown, path: Path): unknown {
    return path.reduce<unknown>((inner, part) => (inner as Record<PropertyKey, unknown> | undefined)?.[part], value);
}

/** Names of the settings that a schema knows at a path. */
function settingsAt(schema: unknown, path: Path): string[] {
    const { def, shape } = schema as {
        readonly def: { readonly innerType?: unknown; readonly in?: unknown; readonly element?: unknown };
        readonly shape?: Readonly<Record<string, unknown>>;
    };
    const wrapped = def.innerType ?? def.in;
    if (wrapped !== undefined) {
        return settingsAt(wrapped, path);
    }
    const [first, ...rest] = path;
    if (first === undefined) {
        return Object.keys(shape ?? {});
    }
    return settingsAt(def.element ?? shape?.[String(first)], rest);
}
