import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { readFileSync } from "node:fs";
import { readOwnKey } from "../../../components/steps/own-key";
import { temporaryDirectory } from "../../support/bash";

const directory = temporaryDirectory();
afterAll(directory.remove);

function keyFile(name: string, ...options: string[]): string {
    const file = join(directory.path, name);
    execFileSync("ssh-keygen", ["-q", "-f", file, "-C", name, ...options]);
    return file;
}

test.each([
    ["ed25519", ["-t", "ed25519"]],
    ["rsa", ["-t", "rsa", "-b", "2048"]],
])("a person's own key is read with its public half: %s", (name, options) => {
    const file = keyFile(name, "-N", "", ...options);
    const { privateKey, publicKey } = readOwnKey(file);
    expect(privateKey).toBe(readFileSync(file, "utf8"));
    expect(readFileSync(`${file}.pub`, "utf8")).toBe(`${publicKey} ${name}\n`);
});

test.each([
    ["is missing", () => join(directory.path, "nothing"), /nothing can't be read \(ENOENT\)/],
    ["has a passphrase", () => keyFile("locked", "-t", "ed25519", "-N", "passphrase"), /locked has a passphrase/],
    [
        "is of another kind",
        () => keyFile("ecdsa", "-t", "ecdsa", "-N", ""),
        /is of the kind ecdsa-sha2-nistp256, and EC2 takes/,
    ],
    ["is the public half", () => `${keyFile("half", "-t", "ed25519", "-N", "")}.pub`, /half\.pub is a public key/],
    ["is something else", () => __filename, /isn't a private SSH key/],
])("a key that %s is refused, and its text isn't shown", (_what, file, message) => {
    expect(() => readOwnKey(file())).toThrow(message);
});
