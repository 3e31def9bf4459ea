import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";
import { z } from "zod";
import { UserError } from "../../support/errors";

/** What a backup says of its cluster. */
const facts = z.strictObject({
    stack: z.string(),
    lab: z.string(),
    /** ISO 8601. */
    created: z.string(),
    versions: z.strictObject({ kubernetes: z.string(), etcd: z.string() }),
    podCidr: z.string(),
    serviceCidr: z.string(),
    encryptionKeys: z.array(z.string()),
    nodes: z.array(z.string()),
    /** `kubelab:authorities`, of those that had another key than the first. */
    authorities: z.record(z.string(), z.array(z.number()).readonly()).default({}),
    /** sha256 of the certificates of the authority `kubernetes-ca`, in hex: which cluster it is. */
    authority: z.string(),
    /** Of etcd, when the snapshot was taken. */
    revision: z.number(),
    keys: z.number(),
});
const content = z.strictObject({ facts, state: z.unknown() });

export type BackupFacts = z.infer<typeof facts>;

/** A backup, open. */
export interface Backup {
    readonly facts: BackupFacts;
    /** The stack's state, as `pulumi stack export` gives it: its secrets are encrypted. */
    readonly state: unknown;
    /** https://etcd.io/docs/v3.6/op-guide/recovery/ */
    readonly snapshot: Buffer;
}

const HEADER = Buffer.from("kubelab backup 1\n");
const SALT_BYTES = 16;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const START = HEADER.length + SALT_BYTES + NONCE_BYTES;
const CIPHER = "aes-256-gcm";

/** By scrypt with 32 MiB, some tenths of a second; https://www.rfc-editor.org/rfc/rfc7914 */
function keyOf(passphrase: string, salt: Buffer): Buffer {
    return scryptSync(passphrase, salt, 32, { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 ** 2 });
}

/**
 * The bytes of a backup file: a line that says what it is, salt (16 bytes) and nonce (12), the content, and a tag (16) by which damage is
 * noticed. The content is compressed and encrypted with AES-256-GCM, with a key from the passphrase: four bytes with the length of a JSON
 * text, the text (facts and state), and the snapshot.
 */
export function sealBackup({ snapshot, ...described }: Backup, passphrase: string): Buffer {
    const text = Buffer.from(JSON.stringify(content.parse(described)));
    const length = Buffer.alloc(4);
    length.writeUInt32BE(text.length);
    const [salt, nonce] = [randomBytes(SALT_BYTES), randomBytes(NONCE_BYTES)];
    const cipher = createCipheriv(CIPHER, keyOf(passphrase, salt), nonce).setAAD(HEADER);
    const plain = gzipSync(Buffer.concat([length, text, snapshot]));
    return Buffer.concat([HEADER, salt, nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** @throws UserError where it is no backup, is damaged, or has another passphrase. */
export function openBackup(file: Buffer, passphrase: string): Backup {
    if (!file.subarray(0, HEADER.length).equals(HEADER)) {
        throw new UserError("it isn't a backup of `scripts/lab backup`, or its beginning is damaged");
    }
    const salt = file.subarray(HEADER.length, HEADER.length + SALT_BYTES);
    const nonce = file.subarray(HEADER.length + SALT_BYTES, START);
    const end = Math.max(START, file.length - TAG_BYTES);
    try {
        const decipher = createDecipheriv(CIPHER, keyOf(passphrase, salt), nonce, { authTagLength: TAG_BYTES })
            .setAAD(HEADER)
            .setAuthTag(file.subarray(end));
        const plain = gunzipSync(Buffer.concat([decipher.update(file.subarray(START, end)), decipher.final()]));
        const length = plain.readUInt32BE(0);
        const described = content.parse(JSON.parse(plain.subarray(4, 4 + length).toString()));
        return { ...described, snapshot: plain.subarray(4 + length) };
    } catch {
        throw new UserError(
            "it is damaged, or was made with another passphrase: the stack's is in .kubelab/<stack>/passphrase, unless " +
                "PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE is set",
        );
    }
}
