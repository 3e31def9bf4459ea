import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { basename, join } from "node:path";
import { cgroupsOf, hostCgroupLayout, isRunning, processesIn } from "./cgroups";
import { masqueradeRule } from "./firewall";
import { machinesOnDisk } from "./labs";
import { labNames, machineNames } from "./names";
import { whyItWaits } from "./qemu/monitor";
import { driverOf, readMachine, readNetwork } from "./records";

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

/** Drift of a lab's bridge, NAT and registry, which `network create` fixes. */
export function networkDifferences(lab: string): Difference[] {
    const { bridge, table, directory } = labNames(lab);
    const request = readNetwork(lab);
    if (request === undefined) {
        return [{ subject: join(directory, "network.json"), difference: "gone" }];
    }
    const address = `${request.gateway}/${request.network.split("/")[1] ?? ""}`;
    const rules = spawnSync("nft", ["list", "table", "ip", table], { encoding: "utf8" }).stdout;
    const registry = processesIn(cgroupsOf(hostCgroupLayout(), { lab }));
    const forwards = readFileSync("/proc/sys/net/ipv4/ip_forward", "utf8").trim() === "1";
    const hasAddress = networkInterfaces()[bridge]?.some(({ cidr }) => cidr === address) ?? false;
    const found: readonly (readonly [boolean, string, string])[] = [
        [!existsSync(join("/sys/class/net", bridge)), `bridge ${bridge}`, "gone"],
        [existsSync(join("/sys/class/net", bridge)) && !hasAddress, `bridge ${bridge}`, `has no address ${address}`],
        [!rules.includes(masqueradeRule(lab, request.network)), `nftables table ${table}`, "gone or changed"],
        [!forwards, "sysctl net.ipv4.ip_forward", "0, not 1"],
        [registry.length === 0, `registry ${request.gateway}:${request.registryPort}`, "doesn't run"],
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
