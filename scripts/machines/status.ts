import { existsSync } from "node:fs";
import { hostCgroupLayout } from "./cgroups";
import { machinesOnDisk } from "./labs";
import { isRunning } from "./machine";
import { machineNames } from "./names";

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
    return existsSync(machineNames(lab, machine).directory) ? "stopped" : "absent";
}
