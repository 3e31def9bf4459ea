import { chooseDriver, type DriverName, type Hypervisor, QEMU, whyNotInHardware } from "../../machines/choose-driver";
import type { Check } from "./check";
import type { Host } from "./host";
import type { PlannedLab } from "./lab";

const WORDS: Readonly<Record<DriverName, string>> = {
    nspawn: "systemd-nspawn containers",
    qemu: "virtual machines of QEMU",
};

/** What new machines of the lab would be, and why. */
export function machinesCheck(host: Host, { drivers }: PlannedLab): Check {
    const { controlPlanes, workers } = drivers;
    const roles = controlPlanes === workers ? { machines: workers } : { "control planes": controlPlanes, workers };
    const details = Object.entries(roles).map(([role, asked]) => {
        const { driver, because } = chooseDriver(role, asked, undefined, hypervisorOf(host));
        return `${role} are ${WORDS[driver]}: ${because}`;
    });
    const emulated = virtualRolesAsked(drivers) && hypervisorOf(host).withoutKvm !== undefined;
    return {
        name: "machines",
        state: "info",
        detail: [...details, ...(emulated ? ["without KVM they are emulated, some twenty times slower"] : [])].join(
            "; ",
        ),
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
