import { createPrivateKey } from "node:crypto";
import type { Lab } from "./lab";

/** A text that gives a secret away where it stands in the clear. */
export interface KnownSecret {
    /** Name of the resource that has it. */
    readonly of: string;
    readonly text: string;
}

/** A resource as `pulumi stack export` prints it. */
interface Exported {
    readonly urn: string;
    readonly type: string;
    readonly inputs?: unknown;
    readonly outputs?: unknown;
}

/**
 * Every secret in the state of a lab's stack, decrypted: the keys and random values that the program made, and whatever else is a private
 * key or a client's key in any secret value.
 */
export function knownSecrets(lab: Lab): readonly KnownSecret[] {
    const { deployment } = JSON.parse(lab.succeed("pulumi", ["stack", "export", "--show-secrets"])) as {
        readonly deployment: { readonly resources?: readonly Exported[] };
    };
    const resources = (deployment.resources ?? []).map(({ urn, type, inputs, outputs }) => {
        return { urn, type, texts: secretTexts([inputs, outputs]) };
    });
    const halves = resources.flatMap((resource) => resource.texts.flatMap(privateHalves));
    const found = resources.flatMap(({ urn, type, texts }) => {
        const made = type.startsWith("random:") || type.startsWith("tls:");
        return texts
            .flatMap((text) => [...keysIn(text, halves), ...(made && !text.includes("\n") ? [text] : [])])
            .map((text) => ({ of: urn.slice(urn.lastIndexOf("::") + 2), text, made }));
    });
    // A key's own resource first: steps that carry it have it too.
    const first = new Map<string, KnownSecret>();
    for (const { of, text } of [...found.filter(({ made }) => made), ...found.filter(({ made }) => !made)]) {
        if (!first.has(text)) {
            first.set(text, { of, text });
        }
    }
    return [...first.values()];
}

/** Every text by which an elliptic curve's private key would be found: its lines, and its private half in other encodings. */
export function formsOfKey(pem: string): readonly string[] {
    const halves = privateHalves(pem);
    const encoded = halves.flatMap((half) => [
        half.toString("hex"),
        // Wherever in a stream of base64 it begins; its first and last characters depend on the neighbours.
        ...[0, 1, 2].map((before) =>
            Buffer.concat([Buffer.alloc(before), half])
                .toString("base64")
                .slice(4, -4),
        ),
    ]);
    return [...keysIn(pem, halves), ...encoded, Buffer.from(pem).toString("base64").replace(/=*$/, "")];
}

/** The key by which the engine marks a secret. */
const MARK = "4dabf18193072939515e22adb298388d";

function secretTexts(value: unknown): string[] {
    if (typeof value === "object" && value !== null && MARK in value && "plaintext" in value) {
        return texts(JSON.parse(String(value.plaintext)));
    }
    return children(value).flatMap(secretTexts);
}

function texts(value: unknown): string[] {
    return typeof value === "string" ? [value] : children(value).flatMap(texts);
}

function children(value: unknown): readonly unknown[] {
    return typeof value === "object" && value !== null ? Object.values(value) : [];
}

/** Bytes of a line that have to be of the private half, so that the line is taken for a secret. */
const TELLING = 16;

/**
 * The lines of a private key's text that have most of its private half; the others are its kind and its public half, which certificates
 * have too.
 *
 * @param halves private halves, one of which is the key's.
 */
function privateLines(body: string, halves: readonly Buffer[]): string[] {
    const bytes = Buffer.from(body, "base64");
    const half = halves.find((each) => bytes.includes(each));
    if (half === undefined) {
        throw new Error("a private key in the state is none that the tests can read");
    }
    const [start, end] = [bytes.indexOf(half), bytes.indexOf(half) + half.length];
    let position = 0;
    return body.split(/\s+/).filter((line) => {
        const [from, to] = [(position * 3) / 4, ((position + line.length) * 3) / 4];
        position += line.length;
        return Math.min(end, to) - Math.max(start, from) >= TELLING;
    });
}

/** The private halves of keys of elliptic curves, without leading zeros, which not every format has. */
function privateHalves(text: string): Buffer[] {
    const keys = text.match(/-----BEGIN (EC )?PRIVATE KEY-----\n[^-\\]+-----END (EC )?PRIVATE KEY-----/g) ?? [];
    return keys.map((pem) => {
        const { d = "" } = createPrivateKey(pem).export({ format: "jwk" });
        const bytes = Buffer.from(d, "base64url");
        return bytes.subarray(bytes.findIndex((byte) => byte !== 0));
    });
}

/** Telling lines of the private keys in a text, and of the base64 in which kubeconfigs have them. */
function keysIn(text: string, halves: readonly Buffer[]): string[] {
    const blocks = text.matchAll(/-----BEGIN [A-Z ]*PRIVATE KEY-----\n([^-]+)-----END/g);
    const lines = [...blocks].flatMap(([, body = ""]) => privateLines(body.trim(), halves));
    const encoded = [...text.matchAll(/client-key-data: *"?([A-Za-z0-9+/=]+)/g)].flatMap(([, data = ""]) => {
        const pem = Buffer.from(data, "base64").toString();
        return keysIn(pem, halves).map((line) => {
            const start = pem.indexOf(line);
            return data.slice(Math.ceil((start * 4) / 3), Math.floor(((start + line.length) * 4) / 3));
        });
    });
    return [...lines, ...encoded];
}
