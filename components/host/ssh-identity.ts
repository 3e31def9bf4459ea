import * as pulumi from "@pulumi/pulumi";
import type { Machine } from "../machines/machine";
import { keepFiles } from "./kept-files";

/** The key and the known host keys as files, for `ssh` at the keyboard and for the stream that carries the parts. */
export interface SshIdentity {
    /** Relative to the project's directory. */
    readonly paths: { readonly key: string; readonly knownHosts: string };
    readonly resource: pulumi.Resource;
}

/** Writes the identity to `.kubelab/<stack>/ssh/` (directory 0700, files 0600), which git ignores; removes it at destroy. */
export function sshIdentity(
    privateKey: pulumi.Output<string>,
    machines: readonly Machine[],
    parent: pulumi.Resource,
): SshIdentity {
    const directory = `.kubelab/${pulumi.getStack()}/ssh`;
    const paths = { key: `${directory}/id_ed25519`, knownHosts: `${directory}/known_hosts` };
    const knownHosts = pulumi
        .all(machines.map(({ address, hostKey }) => pulumi.all([address, hostKey])))
        .apply((hosts) => hosts.map(([address, hostKey]) => `${address} ${hostKey.trim()}\n`).join(""));
    const script = pulumi.all([privateKey, knownHosts]).apply(([key, hosts]) => ({
        create: [
            "umask 077",
            `mkdir -p ${directory}`,
            `cat >${paths.key} <<'KEY'\n${key.trim()}\nKEY`,
            `cat >${paths.knownHosts} <<'KNOWN_HOSTS'\n${hosts.trim()}\nKNOWN_HOSTS`,
        ],
        delete: [`rm -rf ${directory}`],
    }));
    const resource = keepFiles("ssh-identity", script, parent);
    return { paths, resource };
}

/** The command that opens a shell on a machine, to be typed in the project's directory. */
export function sshCommand(machine: Machine, identity: SshIdentity): pulumi.Output<string> {
    return pulumi.interpolate`ssh -i ${identity.paths.key} -o IdentitiesOnly=yes -o UserKnownHostsFile=${identity.paths.knownHosts} ${machine.user}@${machine.address}`;
}
