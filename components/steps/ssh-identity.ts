import * as pulumi from "@pulumi/pulumi";
import type { Component } from "../component";
import type { Machine } from "../machines/machine";
import * as tls from "@pulumi/tls";
import type { ClusterSpec } from "../cluster-spec/types";
import { keepFiles } from "./kept-files";
import { readOwnKey } from "./own-key";
import { quote } from "./script";
import { sshCommandLine, type SshLogin } from "./ssh-command";

/** The pair that every machine lets in. */
export interface SshKey {
    /** OpenSSH's format, secret. */
    readonly privateKeyOpenssh: pulumi.Output<string>;
    /** `ssh-ed25519 AAAA…` */
    readonly publicKeyOpenssh: pulumi.Output<string>;
}

/** The user's own pair where the config names one, else one that is made for the cluster. @throws RunError for a file that is none. */
export function sshKeyOf(spec: ClusterSpec, parent: Component): SshKey {
    const file = spec.aws?.keyFile;
    if (file === undefined) {
        return new tls.PrivateKey(parent.nameOf("ssh-key"), { algorithm: "ED25519" }, { parent });
    }
    const { privateKey, publicKey } = readOwnKey(file);
    return { privateKeyOpenssh: pulumi.secret(privateKey), publicKeyOpenssh: pulumi.output(publicKey) };
}

/** The key and the known host keys as files, for `ssh` at the keyboard and for the stream that carries the parts. */
export interface SshIdentity {
    /** From the project's directory. The key is missing where every machine has one of its user's. */
    readonly paths: { readonly key: string; readonly knownHosts: string };
    readonly resource: pulumi.Resource;
}

/**
 * Writes the identity to `<directory>/ssh/` (directory 0700, files 0600); removes it at destroy.
 * Host keys go by the machines' names (`HostKeyAlias`): addresses may change, and aren't known before the machines are.
 */
export function sshIdentity(
    privateKey: pulumi.Output<string> | undefined,
    machines: readonly Machine[],
    clusterDirectory: string,
    parent: Component,
): SshIdentity {
    const directory = `${clusterDirectory}/ssh`;
    const paths = { key: `${directory}/id_ed25519`, knownHosts: `${directory}/known_hosts` };
    const knownHosts = pulumi
        .all(machines.map(({ hostKey }) => hostKey))
        .apply((keys) => keys.map((key, index) => `${machines[index]?.name} ${key.trim()}\n`).join(""));
    const script = pulumi.all([privateKey ?? "", knownHosts]).apply(([key, hosts]) => ({
        create: [
            "umask 077",
            `mkdir -p ${quote(directory)}`,
            ...(key === "" ? [] : [`keep ${quote(paths.key)} <<'KEY'\n${key.trim()}\nKEY`]),
            `keep ${quote(paths.knownHosts)} <<'KNOWN_HOSTS'\n${hosts.trim()}\nKNOWN_HOSTS`,
        ],
        delete: [`rm -rf ${quote(directory)}`],
    }));
    const resource = keepFiles(parent.nameOf("ssh-identity"), script, parent);
    return { paths, resource };
}

/** The command that opens a shell on a machine, to be typed in the project's directory. */
export function sshCommand(machine: Machine, identity: SshIdentity): pulumi.Output<string> {
    return pulumi.output(machine.address).apply((address) => sshCommandLine(loginOn(machine, address, identity)));
}

/** @param address that the machine has by now. */
export function loginOn(machine: Machine, address: string, { paths }: Pick<SshIdentity, "paths">): SshLogin {
    const { name, user, port, keyFile = paths.key } = machine;
    return { machine: name, address, user, port, keyFile, knownHosts: paths.knownHosts };
}
