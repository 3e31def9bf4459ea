import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { UserError } from "../support/errors";
import { rpc } from "./sdk";
import { isObject, isSecret, type Properties, type Value } from "./value";

const CHECK = "kubelab";

/** What the state file keeps of the key: never the key or the passphrase itself. */
export interface KeyRecord {
    readonly salt: string;
    /** A known text, encrypted: tells a wrong passphrase from a damaged file. */
    readonly check: string;
}

/**
 * The passphrase of a stack, as the Pulumi CLI finds it: PULUMI_CONFIG_PASSPHRASE, the file named by
 * PULUMI_CONFIG_PASSPHRASE_FILE, or a random one in `file`, which is made (mode 0600) when it isn't there.
 */
export function stackPassphrase(file: string): string {
    const given = process.env["PULUMI_CONFIG_PASSPHRASE"];
    if (given !== undefined) {
        return given;
    }
    const own = process.env["PULUMI_CONFIG_PASSPHRASE_FILE"];
    if (own) {
        return readFileSync(own, "utf8").trim();
    }
    ensurePassphraseFile(file);
    return readFileSync(file, "utf8").trim();
}

/** Makes `file` with a random passphrase, mode 0600, unless it is there. */
export function ensurePassphraseFile(file: string): void {
    if (!existsSync(file)) {
        mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
        writeFileSync(file, `${randomBytes(32).toString("base64url")}\n`, { mode: 0o600, flag: "wx" });
    }
}

/** Encrypts and decrypts the secret values of a state file: AES-256-GCM under a key from the passphrase by scrypt. */
export class SecretBox {
    readonly record: KeyRecord;
    private readonly key: Buffer;

    /** @throws UserError when `record` was made with another passphrase. */
    constructor(passphrase: string, record?: KeyRecord) {
        const salt = record ? Buffer.from(record.salt, "base64") : randomBytes(16);
        this.key = scryptSync(passphrase, salt, 32);
        this.record = record ?? { salt: salt.toString("base64"), check: this.encrypt(CHECK) };
        if (record && this.tryDecrypt(record.check) !== CHECK) {
            throw new UserError(
                "The passphrase doesn't open this stack's state: it isn't the one the state was written with. " +
                    "Set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE as at that time, or restore the stack's passphrase file.",
            );
        }
    }

    /** `value` as it goes into a file: every secret in it replaced by its ciphertext. */
    seal(value: Value): Value {
        if (isSecret(value)) {
            return {
                [rpc.specialSigKey]: rpc.specialSecretSig,
                ciphertext: this.encrypt(JSON.stringify(value.value)),
            };
        }
        return mapChildren(value, (child) => this.seal(child));
    }

    /** The reverse of `seal`. */
    open(value: Value): Value {
        if (isSecret(value) && typeof value["ciphertext"] === "string") {
            const text = this.tryDecrypt(value["ciphertext"]);
            if (text === undefined) {
                throw new UserError("A secret in the stack's state is damaged: its ciphertext doesn't decrypt.");
            }
            return { [rpc.specialSigKey]: rpc.specialSecretSig, value: JSON.parse(text) as Value };
        }
        return mapChildren(value, (child) => this.open(child));
    }

    sealProperties(properties: Properties): Properties {
        return this.seal(properties) as Properties;
    }

    openProperties(properties: Properties): Properties {
        return this.open(properties) as Properties;
    }

    private encrypt(text: string): string {
        const nonce = randomBytes(12);
        const cipher = createCipheriv("aes-256-gcm", this.key, nonce);
        const body = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
        return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString("base64");
    }

    private tryDecrypt(text: string): string | undefined {
        const bytes = Buffer.from(text, "base64");
        try {
            const decipher = createDecipheriv("aes-256-gcm", this.key, bytes.subarray(0, 12));
            decipher.setAuthTag(bytes.subarray(12, 28));
            return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString("utf8");
        } catch {
            return undefined;
        }
    }
}

function mapChildren(value: Value, change: (child: Value) => Value): Value {
    if (Array.isArray(value)) {
        return (value as readonly Value[]).map(change);
    }
    return isObject(value)
        ? Object.fromEntries(Object.entries(value).map(([key, child]) => [key, change(child)]))
        : value;
}
