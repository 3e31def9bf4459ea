import { readFileSync } from "node:fs";
import { RunError } from "@pulumi/pulumi/errors";
import { utils } from "ssh2";

/** An SSH key pair that its owner has as a file. */
export interface OwnKey {
    /** The file's text, secret. */
    readonly privateKey: string;
    /** `ssh-ed25519` */
    readonly type: string;
    /** `ssh-ed25519 AAAA…` */
    readonly publicKey: string;
}

/** @throws Error with what to do, where the file isn't a private key that can be used without a passphrase. */
export function readPrivateKey(file: string): OwnKey {
    const refuse = (why: string): never => {
        throw new Error(`${file} ${why}`);
    };
    let privateKey: string;
    try {
        privateKey = readFileSync(file, "utf8");
    } catch (error) {
        return refuse(`can't be read (${(error as NodeJS.ErrnoException).code}); give the path of a private SSH key`);
    }
    const key = utils.parseKey(privateKey);
    if (key instanceof Error) {
        return refuse(
            /passphrase|encrypted/i.test(key.message)
                ? "has a passphrase, which steps can't be asked for; give a key without one"
                : "isn't a private SSH key; give the path of one",
        );
    }
    if (!key.isPrivateKey()) {
        return refuse("is a public key; give the path of the private one");
    }
    const { type } = key;
    return { privateKey, type, publicKey: `${type} ${key.getPublicSSH().toString("base64")}` };
}

/** https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/create-key-pairs.html: EC2 takes no others. */
const EC2_KINDS = ["ssh-ed25519", "ssh-rsa"];

/** The key pair for machines on EC2. @throws RunError with what to do, where the file has none that EC2 takes. */
export function readOwnKey(file: string): OwnKey {
    try {
        const key = readPrivateKey(file);
        if (!EC2_KINDS.includes(key.type)) {
            throw new Error(`${file} is of the kind ${key.type}, and EC2 takes ${EC2_KINDS.join(" and ")}`);
        }
        return key;
    } catch (error) {
        throw new RunError(`kubelab:aws.keyFile: ${(error as Error).message}`);
    }
}
