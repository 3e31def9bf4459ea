import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { filesForRole } from "../../../scripts/parts/roles";
import type { ReadyMachine } from "../../machines/machine";
import type { ClusterSpec } from "../../cluster-spec/types";
import type { SshIdentity } from "../ssh-identity";
import { fetchParts, type Sources } from "./fetch";
import { pushParts } from "./push";
import { relayParts } from "./relay";

/** By the path of a file in a parts directory, e.g. `bin/etcd`: the name of its directory on machines, 64 hex digits. */
export type Fingerprints = Readonly<Record<string, string>>;

/** The parts directory in this machine's cache that the cluster is made from. */
export interface Parts {
    /** Name of the directory below `<cache>/parts`. */
    readonly digest: pulumi.Output<string>;
    /** sha256 of every file. */
    readonly fingerprints: pulumi.Output<Fingerprints>;
}

/** Parts that are on a machine, linked from /usr/local/bin and /opt/cni/bin. */
export interface DeliveredParts {
    readonly fingerprints: pulumi.Output<Fingerprints>;
    readonly ready: pulumi.Resource;
}

/** A control plane's processes, just the tools of one, or a node's: two deliveries can be on their way to one machine at once. */
export type PartsRole = Parameters<typeof filesForRole>[0];

/** Brings a machine the parts of a role. */
export type PartsDelivery = (machine: ReadyMachine, role: PartsRole, parent: pulumi.Resource) => DeliveredParts;

/** Gets the parts into the local cache: at once when they are there, else from the source that the config names. */
export function getParts(spec: Pick<ClusterSpec, "parts" | "versions">, parent: pulumi.Resource): Parts {
    const { source, directory } = spec.parts;
    const request = { source, ...(directory === undefined ? {} : { directory }), versions: { ...spec.versions } };
    const answer = askParts<{ digest: string; files: Fingerprints }>("parts", "get --json", request, parent);
    return { digest: answer.digest, fingerprints: answer.files };
}

/**
 * How parts get to the machines, as the spec says: pushed from here to each; downloaded from upstream by each; or pushed to the first
 * control plane, which has them for the others.
 */
export function partsDelivery(
    spec: ClusterSpec,
    args: {
        readonly parts: Parts;
        readonly identity: SshIdentity;
        readonly first: ReadyMachine;
        readonly architecture: string;
    },
    parent: pulumi.Resource,
): PartsDelivery {
    switch (spec.parts.delivery) {
        case "push":
            return (machine, role, owner) => pushParts(machine, { name: role, files: filesForRole(role) }, args, owner);
        case "download": {
            const request = { versions: { ...spec.versions }, architecture: args.architecture };
            const { sources } = askParts<{ sources: Sources }>("parts-sources", "sources --json", request, parent);
            return (machine, role, owner) => fetchParts(machine, role, { sources }, owner);
        }
        case "relay": {
            const { sources, host } = relayParts(args, parent);
            return (machine, role, owner) =>
                machine.name === args.first.name
                    ? { ready: host, fingerprints: args.parts.fingerprints }
                    : fetchParts(machine, role, { sources, dependsOn: [host] }, owner);
        }
    }
}

/** One call of the parts command: JSON on standard input, JSON on standard output. */
function askParts<Answer>(
    name: string,
    command: string,
    request: object,
    parent: pulumi.Resource,
): pulumi.Output<Answer> {
    const { stdout } = new local.Command(
        name,
        {
            create: `node --import tsx scripts/parts/main.ts ${command}`,
            stdin: JSON.stringify(request),
            addPreviousOutputInEnv: false,
            logging: local.Logging.Stderr,
        },
        { parent },
    );
    return stdout.apply((text) => JSON.parse(text) as Answer);
}
