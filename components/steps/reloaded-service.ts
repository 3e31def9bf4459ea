import type { remote } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { ReadyMachine } from "../machines/machine";
import { type HostFile, putAll } from "./script";
import { step } from "./step";

/** The unit of a program of the machine's own. */
export interface ReloadedUnit {
    readonly description: string;
    /** Upstream reference. */
    readonly documentation: string;
    /** Lines for the [Service] section beside those that have it start again. */
    readonly service: readonly string[];
}

/**
 * Runs a program of the machine's own, from a package, as a systemd unit. Another configuration is taken by a reload, which ends no
 * connection.
 *
 * @param args `health` is the bash command that succeeds once it works, `prepare` what comes before its files.
 * @returns the step after which it works.
 */
export function reloadedService(
    args: {
        readonly machine: ReadyMachine;
        /** Of the unit. */
        readonly name: string;
        readonly unit: pulumi.Input<ReloadedUnit>;
        readonly prepare?: readonly string[];
        readonly files: pulumi.Input<readonly HostFile[]>;
        readonly health: string;
        readonly dependsOn?: readonly pulumi.Resource[];
    },
    parent: pulumi.Resource,
): remote.Command {
    const { machine, name, prepare = [], health, dependsOn = [] } = args;
    const script = pulumi.all([args.unit, args.files]).apply(([unit, files]) => ({
        create: [
            `once ${name}`,
            ...prepare,
            ...putAll([...files, { path: `/etc/systemd/system/${name}.service`, content: renderReloadedUnit(unit) }]),
            `service_run ${name} || service_healthy ${name} 0 false`,
            `service_healthy ${name} 60 ${health}`,
        ],
        delete: [`once ${name}`, `service_down ${name}`],
    }));
    const needed = [machine.ready, ...dependsOn];
    return step(`${machine.name}-${name}`, { machine, undo: true, script, dependsOn: needed }, parent);
}

function renderReloadedUnit({ description, documentation, service }: ReloadedUnit): string {
    return `[Unit]
Description=${description}
Documentation=${documentation}
After=network-online.target
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
${service.join("\n")}
Restart=always
RestartSec=1

[Install]
WantedBy=multi-user.target
`;
}
