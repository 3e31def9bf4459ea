import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { renderScript } from "./host/script";

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
    const stdin = pulumi.all([args.kubeconfig, args.outputs]).apply(([kubeconfig, outputs]) =>
        renderScript({
            create: [
                "umask 077",
                `mkdir -p ${directory}`,
                `cat >${directory}/kubeconfig <<'KUBECONFIG'\n${kubeconfig.trim()}\nKUBECONFIG`,
                `cat >${directory}/outputs.json <<'OUTPUTS'\n${JSON.stringify(outputs, undefined, 2)}\nOUTPUTS`,
            ],
            delete: [`rm -f ${directory}/kubeconfig ${directory}/outputs.json`],
        }),
    );
    return new local.Command(
        "client-files",
        {
            create: "bash -s -- create",
            delete: "bash -s -- delete",
            stdin: pulumi.secret(stdin),
            addPreviousOutputInEnv: false,
            logging: local.Logging.None,
        },
        { parent },
    );
}
