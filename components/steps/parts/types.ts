import type * as pulumi from "@pulumi/pulumi";
import type { GetAnswer, SourcesAnswer } from "../../../scripts/parts/contract";
import type { ReadyMachine } from "../../machines/machine";
import type { Turn } from "../step";
import type { PartsRole } from "./files";

/** By the path of a file in a parts directory, e.g. `bin/etcd`: the name of its directory on machines, 64 hex digits. */
export type Fingerprints = GetAnswer["files"];

/** Where machines get the files from, by path in a parts directory. */
export type Sources = SourcesAnswer["sources"];

/** The parts directory in this machine's cache that the cluster is made from. */
export interface Parts {
    /** Name of the directory below `<cache>/parts`. */
    readonly digest: pulumi.Output<string>;
    /** sha256 of every file. */
    readonly fingerprints: pulumi.Output<Fingerprints>;
    /** Another text each time that parts were asked for; missing where an earlier version asked. */
    readonly run: pulumi.Output<string | undefined>;
}

/** Parts that are on a machine, linked from /usr/local/bin and /opt/cni/bin. */
export interface DeliveredParts {
    readonly fingerprints: pulumi.Output<Fingerprints>;
    readonly ready: pulumi.Resource;
    /** `Parts.run`: what runs these parts is looked at again whenever it changes. */
    readonly run: pulumi.Output<string | undefined>;
    /** What runs these parts waits for this too. */
    readonly turn?: Turn | undefined;
}

/** Brings a machine the parts of a role, when it is its turn. */
export type PartsDelivery = (
    machine: ReadyMachine,
    role: PartsRole,
    parent: pulumi.Resource,
    turn?: Turn,
) => DeliveredParts;
