import * as pulumi from "@pulumi/pulumi";
import type { remote } from "@pulumi/command";
import type { ReadyMachine } from "../machines/machine";
import type { DeliveredParts } from "./parts";
import { type Process, renderUnit } from "./process";
import { type CopiedFile, type HostFile, putAll, putForLater, quote } from "./script";
import { rolloutComment, step, type Turn } from "./step";

export interface ServiceArgs {
    readonly machine: ReadyMachine;
    readonly parts: DeliveredParts;
    readonly process: pulumi.Input<Process>;
    /** Name of the process, known at preview. */
    readonly name: string;
    /** The user it runs as, known at preview. */
    readonly user?: string;
    /** Keys that the machine can't make by itself: written by a step of their own whose text is secret. */
    readonly secretFiles?: pulumi.Input<readonly HostFile[]>;
    /** Those among them that the process reads only when it needs them: a change restarts nothing. */
    readonly secretsForLater?: pulumi.Input<readonly HostFile[]>;
    /** What they wait for beside that. */
    readonly secretsTurn?: Turn | undefined;
    /** Statements that may refuse them. */
    readonly beforeSecrets?: readonly string[];
    /** Configuration and certificates, readable in a preview, and copies of keys that the machine has made. */
    readonly files?: pulumi.Input<readonly (HostFile | CopiedFile)[]>;
    /** Commands that print a line for each thing of the process that isn't as it is to be, for `scripts/lab status`. */
    readonly checks?: readonly { readonly subject: string; readonly command: string }[];
    /** Statements before it starts, when its files are there. */
    readonly beforeStart?: pulumi.Input<readonly string[]>;
    /** `$operation` tells them whether the step runs for the first time. */
    readonly tellsFirstRun?: boolean;
    readonly dependsOn?: readonly pulumi.Resource[];
    /** What it waits for beside them in a rollout, in place of what its parts wait for. */
    readonly turn?: Turn | undefined;
    /** Says whose flags are secrets; nobody's where it is missing. */
    readonly spec?: { readonly secretFlags: readonly string[] };
}

/** What a process is run by says how: statements of the two steps that install it. */
export interface Installation {
    /** After changed secrets were written: what runs reads them. */
    readonly refresh: pulumi.Input<string>;
    readonly script: pulumi.Input<{
        /** Before the configuration files. */
        readonly prepare?: readonly string[];
        /** After them: what runs the process, and waits until it is healthy. */
        readonly start: readonly string[];
        /** Written together with the configuration files. */
        readonly files?: readonly HostFile[];
    }>;
    readonly stop: string;
}

/**
 * Installs one process in a step: its configuration, its credentials and whatever runs it. Secrets go in a step of their own before it.
 *
 * @returns the step after which the process is healthy.
 */
export function installProcess(
    args: ServiceArgs,
    { refresh, script, stop }: Installation,
    parent: pulumi.Resource,
): remote.Command {
    const { machine, name, user = "root", parts } = args;
    const begin = [`once ${name}`, ...(user === "root" ? [] : [`ensure_user ${user}`])];

    const secretStep = `${machine.name}-${name}-secrets`;
    const secrets =
        args.secretFiles === undefined
            ? []
            : [
                  step(
                      secretStep,
                      {
                          machine,
                          secret: true,
                          script: pulumi
                              .all([args.secretFiles, args.secretsForLater ?? [], refresh])
                              .apply(([files, later, refreshed]) => ({
                                  create: [
                                      ...begin,
                                      ...(args.beforeSecrets ?? []),
                                      ...(later.length === 0 ? [] : putForLater(later)),
                                      ...putAll(files),
                                      refreshed,
                                  ],
                              })),
                          dependsOn: [machine.ready],
                          turn: args.secretsTurn,
                      },
                      parent,
                  ),
              ];

    return step(
        `${machine.name}-${name}`,
        {
            machine,
            undo: true,
            tellsFirstRun: args.tellsFirstRun ?? false,
            secret: args.spec?.secretFlags.includes(name) ?? false,
            script: pulumi
                .all([script, args.files ?? [], args.beforeStart ?? [], parts.run])
                .apply(([{ prepare = [], start, files: own = [] }, files, beforeStart, run]) => ({
                    create: [
                        ...rolloutComment(run),
                        ...begin,
                        ...(args.checks ?? []).map(({ subject, command }) => `note check ${subject} ${quote(command)}`),
                        ...prepare,
                        ...putAll([...files, ...own]),
                        ...beforeStart,
                        ...start,
                        // Of earlier versions, where every key came from here.
                        ...(args.secretFiles === undefined ? [`forget_step ${secretStep}`] : []),
                    ],
                    delete: [`once ${name}`, stop],
                })),
            dependsOn: [machine.ready, parts.ready, ...secrets, ...(args.dependsOn ?? [])],
            turn: args.turn ?? parts.turn,
        },
        parent,
    );
}

/**
 * Installs one process as a systemd service. A change of its secrets, its configuration or its unit restarts just this service and
 * waits until it is healthy again.
 *
 * @returns the step after which the service is healthy.
 */
export function service(args: ServiceArgs, parent: pulumi.Resource): remote.Command {
    const { name, parts } = args;
    const health = pulumi
        .output(args.process)
        .apply((process) => `${name} ${process.healthDeadline} ${process.health}`);
    const script = pulumi.all([args.process, health, parts.fingerprints]).apply(([process, check, fingerprints]) => ({
        files: [
            {
                path: `/etc/systemd/system/${name}.service`,
                content: renderUnit(process, `/usr/local/bin/${name}`, fingerprint(fingerprints, name)),
                mode: "0600",
            },
        ],
        start: [`service_up ${check}`],
    }));
    const refresh = health.apply((check) => `service_refresh ${check}`);
    return installProcess(args, { refresh, script, stop: `service_down ${name}` }, parent);
}

function fingerprint(fingerprints: Readonly<Record<string, string>>, name: string): string {
    return `fingerprint of ${name}: ${fingerprints[`bin/${name}`] ?? "unknown"}`;
}
