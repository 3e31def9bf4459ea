import { createHash, generateKeyPair, randomBytes, type JsonWebKey, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import { textAt, type Properties } from "../value";

const generate = promisify(generateKeyPair);

const CURVES: Readonly<Record<string, { readonly node: string; readonly ssh?: string }>> = {
    P224: { node: "secp224r1" },
    P256: { node: "prime256v1", ssh: "nistp256" },
    P384: { node: "secp384r1", ssh: "nistp384" },
    P521: { node: "secp521r1", ssh: "nistp521" },
};

/** `tls.PrivateKey`: a key pair in every format it is asked for in. */
export async function privateKey(inputs: Properties): Promise<{ readonly id: string; readonly outputs: Properties }> {
    const ecdsaCurve = textAt(inputs, "ecdsaCurve", "P224");
    const { rsaBits = 2048 } = inputs;
    const pair = await generatePair(textAt(inputs, "algorithm"), ecdsaCurve, Number(rsaBits));
    const { publicKey, privateKey: key } = pair;
    const der = publicKey.export({ type: "spki", format: "der" });
    const pkcs8 = key.export({ type: "pkcs8", format: "pem" }).toString();
    const ssh = openSsh(publicKey, key);
    return {
        id: createHash("sha1").update(der).digest("hex"),
        outputs: {
            ...inputs,
            ecdsaCurve,
            rsaBits,
            privateKeyPem: classicPem(key, pkcs8),
            privateKeyPemPkcs8: pkcs8,
            privateKeyOpenssh: ssh?.privateKey ?? "",
            publicKeyPem: publicKey.export({ type: "spki", format: "pem" }).toString(),
            publicKeyOpenssh: ssh ? `${ssh.type} ${ssh.blob.toString("base64")}\n` : "",
            publicKeyFingerprintMd5: ssh
                ? (createHash("md5").update(ssh.blob).digest("hex").match(/../g) ?? []).join(":")
                : "",
            publicKeyFingerprintSha256: ssh
                ? `SHA256:${createHash("sha256").update(ssh.blob).digest("base64").replace(/=+$/, "")}`
                : "",
        },
    };
}

function generatePair(
    algorithm: string,
    curve: string,
    bits: number,
): Promise<{ readonly publicKey: KeyObject; readonly privateKey: KeyObject }> {
    switch (algorithm) {
        case "RSA":
            return generate("rsa", { modulusLength: bits });
        case "ED25519":
            return generate("ed25519");
        case "ECDSA": {
            const namedCurve = CURVES[curve]?.node;
            if (namedCurve === undefined) {
                throw new Error(`ecdsaCurve is "${curve}"; it can be ${Object.keys(CURVES).join(", ")}`);
            }
            return generate("ec", { namedCurve });
        }
        default:
            throw new Error(`algorithm is "${algorithm}"; it can be RSA, ECDSA or ED25519`);
    }
}

/** The algorithm's own PEM format, where it has one. */
function classicPem(key: KeyObject, pkcs8: string): string {
    const format = key.asymmetricKeyType === "rsa" ? "pkcs1" : key.asymmetricKeyType === "ec" ? "sec1" : undefined;
    return format ? key.export({ type: format, format: "pem" }).toString() : pkcs8;
}

interface SshKey {
    readonly type: string;
    /** The public key as SSH sends it. */
    readonly blob: Buffer;
    /** Unencrypted `OPENSSH PRIVATE KEY`. */
    readonly privateKey: string;
}

/** https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.key; undefined for curves that SSH doesn't have. */
function openSsh(publicKey: KeyObject, key: KeyObject): SshKey | undefined {
    const jwk = key.export({ format: "jwk" });
    const fields = sshFields(jwk, publicKey);
    if (!fields) {
        return undefined;
    }
    const { type } = fields;
    const blob = Buffer.concat([text(type), ...fields.public]);
    const check = randomBytes(4);
    const secret = Buffer.concat([check, check, text(type), ...fields.private, text("")]);
    const padding = Buffer.from(Array.from({ length: (8 - (secret.length % 8)) % 8 }, (_, index) => index + 1));
    const whole = Buffer.concat([
        Buffer.from("openssh-key-v1\0"),
        text("none"),
        text("none"),
        text(""),
        Buffer.from([0, 0, 0, 1]),
        text(blob),
        text(Buffer.concat([secret, padding])),
    ]);
    const lines = whole.toString("base64").match(/.{1,64}/g) ?? [];
    const privateKey = `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines.join("\n")}\n-----END OPENSSH PRIVATE KEY-----\n`;
    return { type, blob, privateKey };
}

interface SshFields {
    readonly type: string;
    readonly public: readonly Buffer[];
    readonly private: readonly Buffer[];
}

function sshFields(jwk: JsonWebKey, publicKey: KeyObject): SshFields | undefined {
    const part = (name: "x" | "y" | "d" | "n" | "e" | "p" | "q" | "qi"): Buffer =>
        Buffer.from(jwk[name] ?? "", "base64url");
    if (publicKey.asymmetricKeyType === "ed25519") {
        const point = text(part("x"));
        const whole = text(Buffer.concat([part("d"), part("x")]));
        return { type: "ssh-ed25519", public: [point], private: [point, whole] };
    }
    if (publicKey.asymmetricKeyType === "rsa") {
        return {
            type: "ssh-rsa",
            public: [number(part("e")), number(part("n"))],
            private: (["n", "e", "d", "qi", "p", "q"] as const).map((name) => number(part(name))),
        };
    }
    const node = publicKey.asymmetricKeyDetails?.namedCurve;
    const curve = Object.values(CURVES).find((each) => each.node === node)?.ssh;
    if (curve === undefined) {
        return undefined;
    }
    const point = [text(curve), text(Buffer.concat([Buffer.from([4]), part("x"), part("y")]))];
    return { type: `ecdsa-sha2-${curve}`, public: point, private: [...point, number(part("d"))] };
}

/** SSH's string: its length, then its bytes; https://www.rfc-editor.org/rfc/rfc4251#section-5 */
function text(value: string | Buffer): Buffer {
    const bytes = Buffer.from(value);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
}

/** SSH's mpint: no leading zeros, but one where the first bit is set. */
function number(value: Buffer): Buffer {
    const first = value.findIndex((byte) => byte !== 0);
    const bytes = first < 0 ? Buffer.alloc(0) : value.subarray(first);
    return text((bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes);
}
