import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { GetAnswer, GetRequest, SourcesAnswer, SourcesRequest } from "../../../scripts/parts/contract";
import type { Component } from "../../component";
import type { ReadyMachine } from "../../machines/machine";
import type { ClusterSpec } from "../../cluster-spec/types";
import { ownProgram } from "../own-program";
import type { SshIdentity } from "../ssh-identity";
import { fetchParts } from "./fetch";
import { filesForRole } from "./files";
import { pushParts } from "./push";
import { partsRequest } from "./request";
import { relayParts } from "./relay";
import type { Parts, PartsDelivery } from "./types";

export type { DeliveredParts, Parts, PartsDelivery } from "./types";

/** Gets the parts: from the local cache, else from the source that the config names. */
export function getParts(spec: ClusterSpec, parent: Component): Parts {
    const answer = askParts("parts", "get --json", partsRequest(spec), parent);
    return { digest: answer.digest, fingerprints: answer.files, run: answer.apply(({ run }) => run) };
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
        readonly architecture: pulumi.Input<string>;
    },
    parent: Component,
): PartsDelivery {
    const { run } = args.parts;
    switch (spec.parts.delivery) {
        case "push":
            return (machine, role, owner, turn) =>
                pushParts(machine, { name: role, files: filesForRole(role) }, { ...args, turn }, owner);
        case "download": {
            const request = pulumi
                .output(args.architecture)
                .apply((architecture) => ({ versions: { ...spec.versions }, architecture }));
            const { sources } = askParts("parts-sources", "sources --json", request, parent);
            return (machine, role, owner, turn) =>
                fetchParts(machine, role, { sources, from: "upstream", run, turn }, owner);
        }
        case "relay": {
            const { sources, host } = relayParts(args, parent);
            return (machine, role, owner, turn) =>
                machine.name === args.first.name
                    ? { ready: host, fingerprints: args.parts.fingerprints, run, turn }
                    : fetchParts(machine, role, { sources, from: "a machine", dependsOn: [host], run, turn }, owner);
        }
    }
}

interface PartsCommands {
    readonly "get --json": { readonly request: GetRequest; readonly answer: GetAnswer };
    readonly "sources --json": { readonly request: SourcesRequest; readonly answer: SourcesAnswer };
}

/** One call of the parts command: JSON on standard input, JSON on standard output. */
function askParts<Command extends keyof PartsCommands>(
    name: string,
    command: Command,
    request: pulumi.Input<PartsCommands[Command]["request"]>,
    parent: Component,
): pulumi.Output<PartsCommands[Command]["answer"]> {
    const { stdout } = new local.Command(
        parent.nameOf(name),
        {
            create: `${ownProgram("scripts/parts/main.ts")} ${command}`,
            stdin: pulumi.output(request).apply((value) => JSON.stringify(value)),
            addPreviousOutputInEnv: false,
            logging: local.Logging.Stderr,
        },
        { parent },
    );
    return stdout.apply((text) => JSON.parse(text) as PartsCommands[Command]["answer"]);
}
