import type * as pulumi from "@pulumi/pulumi";
import type { remote } from "@pulumi/command/types/input";
import type { MachineFacts as MadeFacts } from "../../scripts/machines/contract";
import type { Role } from "../cluster-spec/types";
import type { Library } from "../steps/script";

/** The facts of a machine, from the code that makes or finds it. The cluster code does not know them otherwise. */
export interface MachineFacts extends MadeFacts {
    /** Where the kubelet finds the name servers that pods are to have; /etc/resolv.conf where it is missing. */
    readonly resolvConf?: string;
    /** The name servers that pods are to have, where no file of the machine names just those. */
    readonly nameServers?: readonly string[];
    /** Registry mirrors every image may come from; asked before the image's own registry. */
    readonly registries: readonly RegistryMirror[];
}

/** A registry in front of all others. */
export interface RegistryMirror {
    /** `https://host:port` */
    readonly url: string;
    /** PEM certificate that the mirror's TLS certificate is checked against. */
    readonly certificateAuthority: pulumi.Input<string>;
}

/** A machine that can be reached by SSH, wherever it comes from. */
export interface Machine {
    /** Of the node: `cp-1`. */
    readonly name: string;
    /** Name of the cluster's component: the names of all resources on the machine begin with it. */
    readonly cluster: string;
    readonly role: Role;
    /** Address reachable from where Pulumi runs. */
    readonly address: pulumi.Input<string>;
    /** Address the nodes reach each other by. */
    readonly privateAddress: pulumi.Input<string>;
    /** The user of `connection`; anyone but root needs sudo. */
    readonly user: string;
    /** Known where the user is root and the shell of their login runs a step's script by itself, without another shell. */
    readonly loginShell?: "bash";
    /** How its first step comes by the step library; `brought` where it is missing. */
    readonly library?: Exclude<Library, "none">;
    /** Of the user, where sudo asks for one; secret. */
    readonly sudoPassword?: pulumi.Output<string>;
    /** Path of the user's private key, where it is their own and not the cluster's. */
    readonly keyFile?: string;
    /** TCP port of the SSH server, where it isn't 22. */
    readonly port?: number;
    readonly connection: remote.ConnectionArgs;
    /** Changes when the machine is replaced: a trigger of every step on it. */
    readonly id: pulumi.Output<string>;
    /** Public host key, one line of known_hosts without the address: `ssh-ed25519 AAAA…`. */
    readonly hostKey: pulumi.Output<string>;
    /** The resource whose deletion takes everything with it that was put on the machine. */
    readonly vm?: pulumi.CustomResource;
    readonly facts: pulumi.Input<MachineFacts>;
    /** What `kubelab:repair` says of the machine: its steps run again when it changes. */
    readonly repair?: string | undefined;
}

/** A machine that answers and is prepared: what every further step on it depends on. */
export interface ReadyMachine extends Machine {
    readonly ready: pulumi.Resource;
}

/** What a machine's component registers: all of it but its keys and its facts, which its steps have. */
export function machineOutputs({ name, role, address, privateAddress, user, id, hostKey }: Machine): pulumi.Inputs {
    return { name, role, address, privateAddress, user, machineId: id, hostKey };
}
