import { randomBytes, randomInt, randomUUID } from "node:crypto";
import type { Provider } from "../provider";
import { changedKeys, type Properties } from "../value";

type Generator = (inputs: Properties) => { readonly id: string; readonly outputs: Properties };

const ALPHABETS = {
    lower: "abcdefghijklmnopqrstuvwxyz",
    upper: "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    numeric: "0123456789",
    special: "!@#$%&*()-_=+[]{}<>:?",
} as const;
type Kind = keyof typeof ALPHABETS;

const generators: Readonly<Record<string, Generator>> = {
    "random:index/randomBytes:RandomBytes": (inputs) => {
        const bytes = randomBytes(Number(inputs["length"]));
        return { id: "none", outputs: { base64: bytes.toString("base64"), hex: bytes.toString("hex") } };
    },
    "random:index/randomId:RandomId": (inputs) => {
        const bytes = randomBytes(Number(inputs["byteLength"]));
        const prefix = typeof inputs["prefix"] === "string" ? inputs["prefix"] : "";
        const b64Url = bytes.toString("base64url");
        return {
            id: b64Url,
            outputs: {
                b64Std: prefix + bytes.toString("base64"),
                b64Url: prefix + b64Url,
                hex: prefix + bytes.toString("hex"),
                dec: `${prefix}${BigInt(`0x${bytes.toString("hex") || "0"}`)}`,
            },
        };
    },
    "random:index/randomString:RandomString": (inputs) => {
        const settings = stringSettings(inputs);
        const result = randomString(settings);
        return { id: result, outputs: { ...settings, result } };
    },
    "random:index/randomUuid:RandomUuid": () => {
        const result = randomUUID();
        return { id: result, outputs: { result } };
    },
};

/** `random:*`, of node:crypto; every changed input, also a keeper, makes a new value. */
export const random: Provider = {
    pure: true,
    secretOutputs: (type) => (type.endsWith(":RandomBytes") ? ["base64", "hex"] : []),
    diff: (_type, { inputs: before }, inputs) => {
        const changed = changedKeys(before, inputs);
        return { changed, replace: changed };
    },
    create: ({ type }, inputs) => {
        const generate = generators[type];
        if (!generate) {
            return Promise.reject(new Error(`the offline engine has no ${type}`));
        }
        const { id, outputs } = generate(inputs);
        return Promise.resolve({ id, outputs: { ...inputs, ...outputs } });
    },
};

interface StringSettings {
    readonly [key: string]: number | boolean | string;
    readonly length: number;
}

function stringSettings(inputs: Properties): StringSettings {
    const flag = (key: string): boolean => inputs[key] !== false;
    const least = (key: string): number => Number(inputs[key] ?? 0);
    const numeric = flag("numeric") && flag("number");
    return {
        length: Number(inputs["length"]),
        lower: flag("lower"),
        upper: flag("upper"),
        numeric,
        number: numeric,
        special: flag("special"),
        minLower: least("minLower"),
        minUpper: least("minUpper"),
        minNumeric: least("minNumeric"),
        minSpecial: least("minSpecial"),
        ...(typeof inputs["overrideSpecial"] === "string" ? { overrideSpecial: inputs["overrideSpecial"] } : {}),
    };
}

function randomString(settings: StringSettings): string {
    const alphabet = (kind: Kind): string =>
        kind === "special" && settings["overrideSpecial"] ? String(settings["overrideSpecial"]) : ALPHABETS[kind];
    const minimum: Readonly<Record<Kind, string>> = {
        lower: "minLower",
        upper: "minUpper",
        numeric: "minNumeric",
        special: "minSpecial",
    };
    const kinds = (Object.keys(ALPHABETS) as Kind[]).filter((kind) => settings[kind]);
    const required = kinds.flatMap((kind) =>
        Array.from({ length: Number(settings[minimum[kind]]) }, () => pick(alphabet(kind))),
    );
    const all = kinds.map(alphabet).join("");
    if (all === "" || required.length > settings.length) {
        throw new Error(`a random string of length ${settings.length} can't satisfy its own minimums`);
    }
    const rest = Array.from({ length: settings.length - required.length }, () => pick(all));
    return shuffled([...required, ...rest]).join("");
}

function pick(alphabet: string): string {
    return alphabet.charAt(randomInt(alphabet.length));
}

function shuffled(characters: readonly string[]): string[] {
    const result = [...characters];
    for (let last = result.length - 1; last > 0; last--) {
        const other = randomInt(last + 1);
        [result[last], result[other]] = [result[other] ?? "", result[last] ?? ""];
    }
    return result;
}
