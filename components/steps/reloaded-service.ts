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
    /** Units that it starts and stops with: after them, and before them. */
    readonly partOf?: readonly string[];
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
            // Until systemd reads them again, those units don't know that this one starts with them.
            ...(unit.partOf === undefined ? [] : [`if [ -n "$changed" ]; then systemctl enable --quiet ${name}; fi`]),
            `service_run ${name} || service_healthy ${name} 0 false`,
            `service_healthy ${name} 60 ${health}`,
        ],
        delete: [`once ${name}`, `service_down ${name}`],
    }));
    const needed = [machine.ready, ...dependsOn];
    return step(`${machine.name}-${name}`, { machine, undo: true, script, dependsOn: needed }, parent);
}

function renderReloadedUnit({ description, documentation, partOf = [], service }: ReloadedUnit): string {
    const units = partOf.map((name) => `${name}.service`).join(" ");
    return `[Unit]
Description=${description}
Documentation=${documentation}
After=${["network-online.target", ...(units === "" ? [] : [units])].join(" ")}
Wants=network-online.target
${units === "" ? "" : `PartOf=${units}\n`}StartLimitIntervalSec=0

[Service]
${service.join("\n")}
Restart=always
RestartSec=1

[Install]
WantedBy=${["multi-user.target", ...(units === "" ? [] : [units])].join(" ")}
`;
}
