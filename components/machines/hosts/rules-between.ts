import type { ClusterSpec } from "../../cluster-spec/types";
import { goArchitecture, OWN_ARCHITECTURE } from "../architecture";
import { checkEndpointAddress } from "./endpoint-address";
import type { Finding, InspectedHost } from "./rules";
import { CLOCK_TOLERANCE } from "./rules";

/**
 * What is wrong between hosts that are right one by one.
 *
 * @param here architecture of this machine, as Go calls it.
 */
export function checkBetween(
    hosts: readonly InspectedHost[],
    spec: ClusterSpec,
    here: string = OWN_ARCHITECTURE,
): Finding[] {
    return [
        ...repeated(hosts, ({ report }) => [report.hostname], "host name", "set it with 'sudo hostnamectl hostname …'"),
        ...repeated(
            hosts,
            ({ report }) => [report.machineId],
            "machine id",
            "one is a copy of the other: run 'sudo rm /etc/machine-id /var/lib/dbus/machine-id; sudo systemd-machine-id-setup' on it and reboot",
        ),
        ...repeated(
            hosts,
            ({ report }) => report.macs,
            "MAC address",
            "give the copied VM's network card one of its own",
        ),
        ...architectures(hosts, spec, here),
        ...clocks(hosts),
        ...addresses(hosts),
        ...checkEndpointAddress(hosts, spec),
        ...firewalls(hosts, spec),
    ];
}

function repeated(
    hosts: readonly InspectedHost[],
    valuesOf: (host: InspectedHost) => readonly string[],
    what: string,
    remedy: string,
): Finding[] {
    const owners = new Map<string, string[]>();
    for (const each of hosts) {
        for (const value of new Set(valuesOf(each).filter((text) => text !== ""))) {
            owners.set(value, [...(owners.get(value) ?? []), each.host.name]);
        }
    }
    return [...owners]
        .filter(([, names]) => names.length > 1)
        .map(([value, names]) => ({ host: names.join(", "), problem: `have one ${what}, ${value}`, remedy }));
}

function architectures(hosts: readonly InspectedHost[], spec: ClusterSpec, here: string): Finding[] {
    const kinds = [...new Set(hosts.map(({ report }) => report.architecture))];
    const [kind] = kinds;
    if (
        kinds.length === 1 &&
        kind !== undefined &&
        goArchitecture(kind) !== here &&
        spec.parts.delivery !== "download"
    ) {
        return [
            {
                host: hosts.map(({ host }) => host.name).join(", "),
                problem: `are machines of ${kind}, and parts that are pushed are those of this machine, ${here}`,
                remedy: 'set kubelab:parts.delivery to "download"',
            },
        ];
    }
    return kinds.length <= 1
        ? []
        : [
              {
                  host: hosts.map(({ host }) => host.name).join(", "),
                  problem: `are of different architectures: ${hosts.map(({ host, report }) => `${host.name} ${report.architecture}`).join(", ")}`,
                  remedy: "parts are made for one: use hosts of one kind",
              },
          ];
}

function clocks(hosts: readonly InspectedHost[]): Finding[] {
    const sorted = [...hosts].sort((a, b) => a.report.clock - b.report.clock);
    const [first, last] = [sorted[0], sorted.at(-1)];
    if (first === undefined || last === undefined) {
        return [];
    }
    const apart = last.report.clock - first.report.clock;
    const known = [first, last].some(({ report }) => Math.abs(report.clock) > CLOCK_TOLERANCE);
    return apart <= CLOCK_TOLERANCE || known
        ? []
        : [
              {
                  host: `${first.host.name}, ${last.host.name}`,
                  problem: `have clocks that are ${apart.toFixed(0)} seconds apart`,
                  remedy: "set both by the network: 'timedatectl set-ntp true'",
              },
          ];
}

function addresses(hosts: readonly InspectedHost[]): Finding[] {
    return hosts
        .filter(({ host, report }) => !report.addresses.includes(host.privateAddress))
        .map(({ host, report }) => ({
            host: host.name,
            problem: `doesn't have the address ${host.privateAddress} that the other nodes are to reach it by`,
            remedy: `set privateAddress to one of ${report.addresses.filter((address) => !address.startsWith("127.")).join(", ")}`,
        }));
}

/** Whether it lets everything through that it should can't be seen in whole: ports that it closes between nodes are found by trying. */
function firewalls(hosts: readonly InspectedHost[], spec: ClusterSpec): Finding[] {
    return hosts.flatMap(({ host, report }) =>
        report.firewalls.map((firewall) => {
            const others = hosts
                .filter((other) => other.host.name !== host.name)
                .map((other) => other.host.privateAddress);
            return {
                host: host.name,
                problem: `has an active firewall, ${firewall}, which has to let nodes and pods through`,
                remedy: opening(firewall, [...others, spec.podCidr]),
                warning: true,
            };
        }),
    );
}

function opening(firewall: string, sources: readonly string[]): string {
    const commands = OPEN[firewall]?.(sources);
    return commands === undefined
        ? `if they don't yet, its chains of the hooks input and forward have to accept what comes from ${sources.join(", ")}; forward also what goes to ${sources.at(-1)}`
        : `if it doesn't yet, run on it: ${commands.map((command) => `'sudo ${command}'`).join(", ")}`;
}

/** The commands that open a firewall to the other nodes and to pods. Only those whose tables have known names have any. */
const OPEN: Readonly<Record<string, (sources: readonly string[]) => readonly string[]>> = {
    ufw: (sources) => [...sources.map((source) => `ufw allow from ${source}`), "ufw default allow routed"],
    firewalld: (sources) => [
        ...sources.map((source) => `firewall-cmd --permanent --zone=trusted --add-source=${source}`),
        "firewall-cmd --reload",
    ],
};
