import type { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { Component } from "./component";
import { keepFiles } from "./steps/kept-files";
import { quote } from "./steps/script";

/** The outputs that a user needs. */
export interface ClientFilesArgs {
    readonly kubeconfig: pulumi.Output<string>;
    /** The outputs that are no secrets. */
    readonly outputs: pulumi.Input<unknown>;
    /** From the project's directory. */
    readonly directory: string;
}

/**
 * Keeps the kubeconfig and the cluster's other outputs in a directory (0700, files 0600); removes them at destroy. They
 * exist before the cluster does, so that a cluster that does not come up can be inspected.
 */
export function clientFiles(args: ClientFilesArgs, parent: Component): local.Command {
    const directory = quote(args.directory);
    const script = pulumi.all([args.kubeconfig, args.outputs]).apply(([kubeconfig, outputs]) => ({
        create: [
            "umask 077",
            `mkdir -p ${directory}`,
            `keep ${directory}/kubeconfig <<'KUBECONFIG'\n${kubeconfig.trim()}\nKUBECONFIG`,
            `keep ${directory}/outputs.json <<'OUTPUTS'\n${JSON.stringify(outputs, undefined, 2)}\nOUTPUTS`,
        ],
        delete: [`rm -rf ${directory}/kubeconfig ${directory}/outputs.json ${directory}/users`],
    }));
    return keepFiles(parent.nameOf("client-files"), script, parent);
}
