import { readFileSync } from "node:fs";
import { RunError } from "@pulumi/pulumi/errors";
import { utils } from "ssh2";

/** An SSH key pair that its owner has as a file. */
export interface OwnKey {
    /** The file's text, secret. */
    readonly privateKey: string;
    /** `ssh-ed25519 AAAA…` */
    readonly publicKey: string;
}

/** https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/create-key-pairs.html: EC2 takes no others. */
const KINDS = ["ssh-ed25519", "ssh-rsa"];

/** @throws RunError with what to do, where the file isn't a private key that can be used without a passphrase. */
export function readOwnKey(file: string): OwnKey {
    const refuse = (why: string): never => {
        throw new RunError(`kubelab:aws.keyFile: ${file} ${why}`);
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
                ? "has a passphrase, which steps can't be asked for; give a key without one, or remove the setting"
                : "isn't a private SSH key; give the path of one",
        );
    }
    if (!key.isPrivateKey()) {
        return refuse("is a public key; give the path of the private one");
    }
    if (!KINDS.includes(key.type)) {
        return refuse(`is of the kind ${key.type}, and EC2 takes ${KINDS.join(" and ")}`);
    }
    return { privateKey, publicKey: `${key.type} ${key.getPublicSSH().toString("base64")}` };
}
