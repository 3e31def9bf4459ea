import { closeSync, openSync, readFileSync } from "node:fs";
import { UserError } from "../support/errors";
import { isOnPath } from "./commands";

/** How a local machine is made: a systemd-nspawn container, or a virtual machine of QEMU. */
export const DRIVERS = ["nspawn", "qemu"] as const;
export type DriverName = (typeof DRIVERS)[number];

export const ACCELERATORS = ["kvm", "tcg"] as const;
export type Accelerator = (typeof ACCELERATORS)[number];

/** Size of a virtual machine: processors, MiB of memory, GiB of disk. */
export const VM_DEFAULTS = { cpus: 2, memory: 2048, disk: 20 } as const;

/** QEMU's program for machines of this host's kind. */
export const QEMU = "qemu-system-x86_64";

/** What of this host decides. */
export interface Hypervisor {
    /** Why /dev/kvm can't be used; undefined where it can. */
    readonly withoutKvm: string | undefined;
    readonly hasQemu: boolean;
}

export function hypervisor(): Hypervisor {
    return {
        withoutKvm: whyNoKvm() ?? whyNotInHardware(readFileSync("/proc/cpuinfo", "utf8")),
        hasQemu: isOnPath(QEMU),
    };
}

/** @param cpuinfo the text of /proc/cpuinfo. @returns why KVM runs no ordinary kernel, though it may be there. */
export function whyNotInHardware(cpuinfo: string): string | undefined {
    // Some clouds have a KVM that runs only kernels made for it.
    return /^flags\s*:.* (vmx|svm)( |$)/m.test(cpuinfo)
        ? undefined
        : "this host's processor has no hardware virtualization (vmx, svm), or keeps it to itself";
}

function whyNoKvm(): string | undefined {
    try {
        closeSync(openSync("/dev/kvm", "r+"));
        return undefined;
    } catch (error) {
        const code = (error as NodeJS.ErrnoException).code ?? "";
        return code === "ENOENT" ? "this host has no /dev/kvm" : `/dev/kvm can't be used (${code})`;
    }
}

/** Whether machines are virtual ones unless something else is asked for: only where they are fast. */
export function prefersQemu({ withoutKvm, hasQemu }: Hypervisor): boolean {
    return withoutKvm === undefined && hasQemu;
}

export interface Choice {
    readonly driver: DriverName;
    readonly because: string;
}

/**
 * Chooses a machine's driver. `auto` keeps what the machine was made by; for a new one it is `qemu` where QEMU can use KVM.
 *
 * @param known driver of the machine that is there.
 * @throws UserError when it would have to become another.
 */
export function chooseDriver(
    machine: string,
    asked: DriverName | "auto",
    known: DriverName | undefined,
    host: Hypervisor,
): Choice {
    if (known !== undefined) {
        if (asked !== "auto" && asked !== known) {
            throw new UserError(
                `${machine} was made by the driver ${known} and can't become a machine of ${asked}. ` +
                    `Set kubelab:local.driver back to "${known}", or bring the lab down first.`,
            );
        }
        return { driver: known, because: "it was made so" };
    }
    if (asked !== "auto") {
        return { driver: asked, because: "kubelab:local.driver says so" };
    }
    return prefersQemu(host)
        ? { driver: "qemu", because: "this host has KVM and QEMU" }
        : { driver: "nspawn", because: host.withoutKvm ?? `this host has KVM, but no ${QEMU}` };
}

/** @throws UserError where KVM is asked for and can't be used. */
export function chooseAccelerator(asked: Accelerator | "auto", { withoutKvm }: Hypervisor): Accelerator {
    if (asked === "kvm" && withoutKvm !== undefined) {
        throw new UserError(
            `kubelab:local.accelerator is "kvm", and ${withoutKvm}. Use "tcg", which emulates and is some twenty times slower, or "auto".`,
        );
    }
    return asked === "auto" ? (withoutKvm === undefined ? "kvm" : "tcg") : asked;
}
