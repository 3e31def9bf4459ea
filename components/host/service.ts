import * as pulumi from "@pulumi/pulumi";
import type { remote } from "@pulumi/command";
import type { ReadyMachine } from "../machines/machine";
import type { DeliveredParts } from "./parts";
import { type Process, renderUnit } from "./process";
import { type HostFile, put } from "./script";
import { step } from "./step";

export interface ServiceArgs {
    readonly machine: ReadyMachine;
    readonly parts: DeliveredParts;
    readonly process: pulumi.Input<Process>;
    /** Name of the process, known at preview. */
    readonly name: string;
    /** The user it runs as, known at preview. */
    readonly user?: string;
    /** Keys, certificates and kubeconfigs: written by a step of their own whose text is secret. */
    readonly secretFiles?: pulumi.Input<readonly HostFile[]>;
    /** Configuration files, readable in a preview. */
    readonly files?: pulumi.Input<readonly HostFile[]>;
    readonly dependsOn?: readonly pulumi.Resource[];
}

/**
 * Installs one process as a systemd service in at most two steps: its secrets, then its configuration, unit and start. A
 * change of either restarts just this service and waits until it is healthy again.
 *
 * @returns the step after which the service is healthy.
 */
export function service(args: ServiceArgs, parent: pulumi.Resource): remote.Command {
    const { machine, name, user = "root", parts } = args;
    const users = user === "root" ? [] : [`ensure_user ${user}`];
    const health = pulumi
        .output(args.process)
        .apply((process) => `${name} ${process.healthDeadline} ${process.health}`);

    const secrets =
        args.secretFiles === undefined
            ? []
            : [
                  step(
                      `${machine.name}-${name}-secrets`,
                      {
                          machine,
                          secret: true,
                          script: pulumi.all([args.secretFiles, health]).apply(([files, check]) => ({
                              create: [`once ${name}`, ...users, ...files.map(put), `service_refresh ${check}`],
                          })),
                          dependsOn: [machine.ready],
                      },
                      parent,
                  ),
              ];

    return step(
        `${machine.name}-${name}`,
        {
            machine,
            undo: true,
            script: pulumi
                .all([args.process, args.files ?? [], health, parts.fingerprints])
                .apply(([process, files, check, fingerprints]) => ({
                    create: [
                        `once ${name}`,
                        ...users,
                        ...files.map(put),
                        put({
                            path: `/etc/systemd/system/${name}.service`,
                            content: renderUnit(process, `/usr/local/bin/${name}`, fingerprint(fingerprints, name)),
                        }),
                        `service_up ${check}`,
                    ],
                    delete: [`once ${name}`, `service_down ${name}`],
                })),
            dependsOn: [machine.ready, parts.ready, ...secrets, ...(args.dependsOn ?? [])],
        },
        parent,
    );
}

function fingerprint(fingerprints: Readonly<Record<string, string>>, name: string): string {
    return `fingerprint of ${name}: ${fingerprints[`bin/${name}`] ?? "unknown"}`;
}
