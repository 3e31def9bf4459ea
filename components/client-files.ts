import type { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { keepFiles } from "./steps/kept-files";

/** What a person at the keyboard needs of a cluster, as the stack puts it out. */
export interface ClientFilesArgs {
    readonly kubeconfig: pulumi.Output<string>;
    /** The outputs that are no secrets. */
    readonly outputs: pulumi.Input<unknown>;
}

/**
 * Keeps the kubeconfig and the stack's other outputs in `.kubelab/<stack>/` (directory 0700, files 0600), which git ignores; removes
 * them at destroy. They are there before the cluster is, so that a cluster that doesn't come up can be looked into.
 */
export function clientFiles(args: ClientFilesArgs, parent: pulumi.Resource): local.Command {
    const directory = `.kubelab/${pulumi.getStack()}`;
    const script = pulumi.all([args.kubeconfig, args.outputs]).apply(([kubeconfig, outputs]) => ({
        create: [
            "umask 077",
            `mkdir -p ${directory}`,
            `keep ${directory}/kubeconfig <<'KUBECONFIG'\n${kubeconfig.trim()}\nKUBECONFIG`,
            `keep ${directory}/outputs.json <<'OUTPUTS'\n${JSON.stringify(outputs, undefined, 2)}\nOUTPUTS`,
        ],
        delete: [`rm -f ${directory}/kubeconfig ${directory}/outputs.json`],
    }));
    return keepFiles("client-files", script, parent);
}
