import { randomBytes } from "node:crypto";
import type { Provider } from "./provider";
import { changedKeys, type Properties } from "./value";

type Generator = (inputs: Properties) => { readonly id: string; readonly outputs: Properties };

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
                id: b64Url,
                b64Std: prefix + bytes.toString("base64"),
                b64Url: prefix + b64Url,
                hex: prefix + bytes.toString("hex"),
                dec: `${prefix}${BigInt(`0x${bytes.toString("hex") || "0"}`)}`,
            },
        };
    },
};

/** `random:*` as far as the program uses it; every changed input, also a keeper, makes a new value. */
export const random: Provider = {
    secretOutputs: (type) => (type.endsWith(":RandomBytes") ? ["base64", "hex"] : []),
    diff: (_type, { inputs: before }, inputs) => {
        const changed = changedKeys(before, inputs);
        return { changed, replace: changed };
    },
    create: ({ type }, inputs) => {
        const generate = generators[type];
        if (!generate) {
            return Promise.reject(new Error(`this random provider has no ${type}`));
        }
        const { id, outputs } = generate(inputs);
        return Promise.resolve({ id, outputs: { ...inputs, ...outputs } });
    },
};
