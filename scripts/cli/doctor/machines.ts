import { chooseDriver, type Hypervisor, QEMU, whyNotInHardware } from "../../machines/choose-driver";
import { describeMachines } from "../new-machines";
import type { Check } from "./check";
import type { Host } from "./host";
import type { PlannedLab } from "./lab";

/** What new machines of the lab would be, and why. */
export function machinesCheck(host: Host, { drivers }: PlannedLab): Check {
    const { controlPlanes, workers } = drivers;
    const detail = describeMachines({
        "control-plane": chooseDriver("control planes", controlPlanes, undefined, hypervisorOf(host)),
        worker: chooseDriver("workers", workers, undefined, hypervisorOf(host)),
    });
    const emulated = virtualRolesAsked(drivers) && hypervisorOf(host).withoutKvm !== undefined;
    return {
        name: "machines",
        state: "info",
        detail: `${detail}${emulated ? "; without KVM they are emulated, some twenty times slower" : ""}`,
    };
}

/** Whether the lab can't do without QEMU. */
export function virtualRolesAsked(drivers: PlannedLab["drivers"]): boolean {
    return Object.values(drivers).includes("qemu");
}

function hypervisorOf(host: Host): Hypervisor {
    return {
        withoutKvm: host.exists("/dev/kvm")
            ? whyNotInHardware(host.read("/proc/cpuinfo") ?? "")
            : "this host has no /dev/kvm",
        hasQemu: host.find(QEMU) !== undefined,
    };
}
