import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { basename, join } from "node:path";
import { hostCgroupLayout, isRunning, processesOf } from "./cgroups";
import type { NetworkSettings } from "./contract";
import { masqueradeRule } from "./firewall";
import { machinesOnDisk } from "./labs";
import { labNames, machineNames } from "./names";
import { whyItWaits } from "./qemu/monitor";
import { driverOf, isUserNetwork, readMachine, readNetwork } from "./records";
import { registryAddress } from "./registry/process";
import { isPluggedIn } from "./user-network/control";
import { switchRuns } from "./user-network/process";

/** `stopped`: its disk is there, and `machine create` starts it again. */
export type MachineStatus = "running" | "stopped" | "absent";

/** Names of the machines that a lab has on this host. */
export function listMachines(lab: string): string[] {
    return machinesOnDisk()
        .filter((machine) => machine.lab === lab)
        .map(({ machine }) => machine);
}

export function machineStatus(lab: string, machine: string): MachineStatus {
    if (isRunning(hostCgroupLayout(), lab, machine)) {
        return "running";
    }
    return existsSync(machineNames(lab, machine).directory) && readMachine(lab, machine) ? "stopped" : "absent";
}

/** One drift from what `up` left. */
export interface Difference {
    /** `/etc/kubernetes/kubelet/kubelet.yaml`, `kubelet.service`, `kubenet`, `API`, `machine`, … */
    readonly subject: string;
    /** What kind of difference, never the content: `gone`, `edited`, `inactive`, … */
    readonly difference: string;
}

/** Drift of a lab's bridge and NAT, or of its switch, and of its registry, which `network create` fixes. */
export function networkDifferences(lab: string): Difference[] {
    const request = readNetwork(lab);
    if (request === undefined) {
        return [{ subject: join(labNames(lab).directory, "network.json"), difference: "gone" }];
    }
    const layout = hostCgroupLayout();
    const registry = processesOf(layout, { lab }).length > 0;
    return [
        ...(isUserNetwork(request) ? [] : bridgeDifferences(request)),
        ...(isUserNetwork(request) && !switchRuns(layout, lab)
            ? [{ subject: "switch", difference: "doesn't run" }]
            : []),
        ...(registry
            ? []
            : [
                  {
                      subject: `registry ${registryAddress(request)}:${request.registryPort}`,
                      difference: "doesn't run",
                  },
              ]),
    ];
}

function bridgeDifferences(request: NetworkSettings): Difference[] {
    const { lab } = request;
    const { bridge, table } = labNames(lab);
    const address = `${request.gateway}/${request.network.split("/")[1] ?? ""}`;
    const rules = spawnSync("nft", ["list", "table", "ip", table], { encoding: "utf8" }).stdout;
    const forwards = readFileSync("/proc/sys/net/ipv4/ip_forward", "utf8").trim() === "1";
    const hasAddress = networkInterfaces()[bridge]?.some(({ cidr }) => cidr === address) ?? false;
    const found: readonly (readonly [boolean, string, string])[] = [
        [!existsSync(join("/sys/class/net", bridge)), `bridge ${bridge}`, "gone"],
        [existsSync(join("/sys/class/net", bridge)) && !hasAddress, `bridge ${bridge}`, `has no address ${address}`],
        [!rules.includes(masqueradeRule(lab, request.network)), `nftables table ${table}`, "gone or changed"],
        [!forwards, "sysctl net.ipv4.ip_forward", "0, not 1"],
    ];
    return found.filter(([differs]) => differs).map(([, subject, difference]) => ({ subject, difference }));
}

/** Drift of a machine that the host sees, which `machine create` fixes. */
export async function machineDifferences(lab: string, machine: string): Promise<Difference[]> {
    const names = machineNames(lab, machine);
    switch (machineStatus(lab, machine)) {
        case "stopped":
            return [{ subject: "machine", difference: "doesn't run; its disk is there" }];
        case "absent":
            return [{ subject: "machine", difference: "gone, with its disk" }];
        case "running": {
            if (isUserNetwork(readNetwork(lab))) {
                return userMachineDifferences(lab, machine);
            }
            const port = join("/sys/class/net", names.interface);
            const bridge = join("/sys/class/net", labNames(lab).bridge);
            const namespace = join("/run/netns", names.networkNamespace);
            const virtual = driverOf(readMachine(lab, machine) ?? {}) === "qemu";
            const waits = virtual ? await whyItWaits(lab, machine) : undefined;
            const attached = existsSync(join(bridge, "brif", basename(port)));
            const found: readonly (readonly [boolean, string, string])[] = [
                [!existsSync(port), `interface ${names.interface}`, "gone"],
                [existsSync(port) && !attached, `interface ${names.interface}`, `not on ${basename(bridge)}`],
                ...(virtual
                    ? [[waits !== undefined, "machine", `waits: ${waits ?? ""}`] as const]
                    : [[!existsSync(namespace), `network namespace ${names.networkNamespace}`, "gone"] as const]),
            ];
            return found.filter(([differs]) => differs).map(([, subject, difference]) => ({ subject, difference }));
        }
    }
}

async function userMachineDifferences(lab: string, machine: string): Promise<Difference[]> {
    const waits = await whyItWaits(lab, machine);
    const plugged = await isPluggedIn(lab, machineNames(lab, machine).hardwareAddress);
    return [
        ...(waits === undefined ? [] : [{ subject: "machine", difference: `waits: ${waits}` }]),
        // A machine that has been started before the switch has to be started again.
        ...(plugged === true ? [] : [{ subject: "machine", difference: "isn't plugged into the lab's switch" }]),
    ];
}
