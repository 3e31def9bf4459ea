import { cpus, totalmem } from "node:os";
import { z } from "zod";
import {
    ACCELERATORS,
    type DriverName,
    DRIVERS,
    hypervisor,
    type Hypervisor,
    prefersQemu,
    VM_DEFAULTS,
} from "../../scripts/machines/contract";
import * as field from "./fields";
import { perRole, ROLES } from "./per-role";
import type { Problem } from "./problems";
import type { LocalSpec, LocalDriver, Role, VmSpec } from "./types";

/** What of this host limits virtual machines on it. */
export interface Workstation {
    readonly processors: number;
    /** MiB */
    readonly memory: number;
    readonly hypervisor: Hypervisor;
}

export function thisWorkstation(): Workstation {
    return { processors: cpus().length, memory: Math.floor(totalmem() / 2 ** 20), hypervisor: hypervisor() };
}

/** Settings of `kubelab:local` for what makes the machines. */
export const MACHINE_SETTINGS = {
    driver: perRole<LocalDriver>(["auto", ...DRIVERS], "auto").prefault("auto"),
    cpus: field.integer(1, 256).prefault(VM_DEFAULTS.cpus),
    memory: field.integer(512, 4 << 20).prefault(VM_DEFAULTS.memory),
    disk: field.integer(8, 16384).prefault(VM_DEFAULTS.disk),
    accelerator: z.enum(["auto", ...ACCELERATORS]).default("auto"),
    networking: z.enum(["bridge", "user"]).default("bridge"),
} as const;

/** MiB that a machine's kernel, system and parts of Kubernetes take, with a little for pods. */
const NEEDED_MEMORY: Readonly<Record<Role, number>> = { "control-plane": 1800, worker: 1000 };

/** What makes the machines of each role that a cluster has. */
export type KeptDrivers = Readonly<Partial<Record<Role, DriverName>>>;

/**
 * What makes the machines of each role: where the config says `auto`, what has made those that are there. Only where this host would
 * choose another one by now, the machine driver has to be told.
 */
export function keepDrivers(
    asked: Readonly<Record<Role, LocalDriver>>,
    kept: KeptDrivers,
    { hypervisor }: Workstation,
): Readonly<Record<Role, LocalDriver>> {
    const chosen = prefersQemu(hypervisor) ? "qemu" : "nspawn";
    const keep = (role: Role): LocalDriver => {
        const { [role]: made = chosen } = kept;
        return asked[role] === "auto" && made !== chosen ? made : asked[role];
    };
    return { "control-plane": keep("control-plane"), worker: keep("worker") };
}

/** A driver that the machines of a role are not made by: another one can't take them over. */
export function refuseOtherDriver(kept: KeptDrivers, asked: Readonly<Record<Role, LocalDriver>>): Problem[] {
    return Object.entries(ROLES).flatMap(([key, role]) => {
        const { [role]: made } = kept;
        if (made === undefined || asked[role] === "auto" || asked[role] === made) {
            return [];
        }
        const problem = `can't replace "${made}" while the cluster is running: a machine's disk is of no use to another driver`;
        const remedy = `set it back to "${made}", or destroy the cluster first`;
        return [{ key: `local.driver.${key}`, value: asked[role], problem, remedy }];
    });
}

/** The roles whose machines are virtual ones on this host. */
export function virtualRoles(driver: Readonly<Record<Role, LocalDriver>>, { hypervisor }: Workstation): Role[] {
    return (Object.keys(driver) as Role[]).filter(
        (role) => driver[role] === "qemu" || (driver[role] === "auto" && prefersQemu(hypervisor)),
    );
}

/** What this host can't run, and machines that are too small for what runs on them. */
export function refuseVirtualMachines(
    local: VmSpec & Pick<LocalSpec, "driver" | "networking">,
    counts: Readonly<Record<Role, number>>,
    workstation: Workstation,
): Problem[] {
    const virtual = virtualRoles(local.driver, workstation).filter((role) => counts[role] > 0);
    const [needy] = virtual.filter((role) => local.memory < NEEDED_MEMORY[role]);
    const machines = virtual.reduce((sum, role) => sum + counts[role], 0);
    const problems: Problem[] = [];
    const refuse = (key: "cpus" | "memory" | "accelerator" | "networking", problem: string, remedy: string): void => {
        problems.push({ key: `local.${key}`, value: local[key], problem, remedy });
    };
    const container = (Object.keys(counts) as Role[]).find((role) => counts[role] > 0 && !virtual.includes(role));
    if (local.networking === "user" && container !== undefined) {
        const why = local.driver[container] === "auto" ? (workstation.hypervisor.withoutKvm ?? "QEMU is missing") : "";
        const problem = `is for virtual machines, and a ${container.replace("-", " ")} would be a container`;
        refuse("networking", why === "" ? problem : `${problem}: ${why}`, 'set kubelab:local.driver to "qemu"');
    }
    if (machines === 0) {
        return problems;
    }
    if (needy !== undefined) {
        refuse("memory", `is too little for a ${needy.replace("-", " ")}`, `use ${NEEDED_MEMORY[needy]} (MiB) or more`);
    } else if (machines * local.memory > workstation.memory) {
        const problem = `times ${machines} virtual machines is more than this host's ${workstation.memory} MiB`;
        refuse("memory", problem, 'use less, fewer machines, or the driver "nspawn"');
    }
    if (local.cpus > workstation.processors) {
        refuse("cpus", `is more than this host's ${workstation.processors}`, `use ${workstation.processors} or less`);
    }
    if (local.accelerator === "kvm" && workstation.hypervisor.withoutKvm !== undefined) {
        refuse(
            "accelerator",
            `can't be had: ${workstation.hypervisor.withoutKvm}`,
            'use "tcg" (emulation, slow) or "auto"',
        );
    }
    return problems;
}
