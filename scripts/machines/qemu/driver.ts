import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { UserError } from "../../support/errors";
import { type CgroupLayout, isRunning } from "../cgroups";
import { chooseAccelerator, hypervisor } from "../choose-driver";
import { requireTools, run } from "../commands";
import type { MachineFacts } from "../contract";
import type { Driver } from "../driver";
import { labNames, machineNames } from "../names";
import { isUserNetwork, type MachineRecord, readNetwork } from "../records";
import { shellVariables } from "../shell-variables";
import { isPluggedIn } from "../user-network/control";
import { qemu } from "./command-line";
import { partsDisk, writeDisks } from "./disks";
import { IMAGE_FILES, vmFiles } from "./files";
import { identityArchive } from "./identity";
import { ensureImage } from "./image";
import { ask, vmState, whatItNeeds } from "./monitor";
import { QEMU_TOOLS } from "./tools";

/** Of Debian with a kernel of its own: cgroup v2 is systemd's, and nobody has turned swap on. */
const FACTS: MachineFacts = {
    cgroupDriver: "systemd",
    failCgroupV1: true,
    failSwapOn: true,
    restrictOomScoreAdj: false,
};

/** Longest wait for a machine that was asked to power off, in milliseconds. */
const POWER_OFF = 60_000;

/** Virtual machines of QEMU, with a kernel of their own. */
export const QEMU_DRIVER: Driver = {
    // Without KVM it takes three quarters of a minute on an idle host.
    startTimeout: ({ vm }) => (chooseAccelerator(vm.accelerator, hypervisor()) === "kvm" ? 90_000 : 420_000),
    base({ release }, progress) {
        if (process.arch !== "x64") {
            throw new UserError(`Virtual machines of the driver qemu need an x86-64 host; this is ${process.arch}.`);
        }
        requireTools(QEMU_TOOLS);
        return ensureImage(progress, release);
    },
    preloaded: partsDisk,
    writeDisk,
    supervisor,
    takeOver,
    reconnect,
    needs: whatItNeeds,
    facts: () => Promise.resolve(FACTS),
    cleanUp(lab, machine) {
        rmSync(vmFiles(lab, machine).monitor, { force: true });
    },
};

function writeDisk(record: MachineRecord, known: MachineRecord | undefined): void {
    const { lab, machine, base } = record;
    requireTools(QEMU_TOOLS);
    refuseSmallerDisk(known, record);
    writeDisks(record);
    const shared = readFileSync(join(base, IMAGE_FILES.initrd));
    const file = vmFiles(lab, machine).initrd;
    writeFileSync(`${file}.new`, Buffer.concat([shared, identityArchive(record)]), { mode: 0o600 });
    renameSync(`${file}.new`, file);
}

function refuseSmallerDisk(known: MachineRecord | undefined, { machine, vm }: MachineRecord): void {
    if (known !== undefined && vm.disk < known.vm.disk) {
        throw new UserError(
            `${machine} has a disk of ${known.vm.disk} GiB, and it can't shrink to ${vm.disk} GiB. Set kubelab:local.disk back.`,
        );
    }
}

function supervisor(record: MachineRecord, cgroups: readonly string[]): ReturnType<Driver["supervisor"]> {
    const { lab, machine, addresses, vm } = record;
    const names = machineNames(lab, machine);
    const userNetwork = isUserNetwork(readNetwork(lab));
    return {
        script: join(__dirname, "supervisor.sh"),
        settings: shellVariables({
            BRIDGE: labNames(lab).bridge,
            INTERFACE: userNetwork ? "" : names.interface,
            HARDWARE_ADDRESS: names.hardwareAddress,
            ALIAS: `kubelab/${lab}/${machine}`,
            ADDRESSES: addresses,
            CGROUPS: cgroups.filter((path) => existsSync(path)),
            MONITOR: vmFiles(lab, machine).monitor,
            QEMU: qemu(record, chooseAccelerator(vm.accelerator, hypervisor()), userNetwork),
        }),
    };
}

/** Its files are in its own hands while it runs: it gets new ones, another size as well, by a start. */
async function takeOver(layout: CgroupLayout, known: MachineRecord, wanted: MachineRecord): Promise<boolean> {
    const { lab, machine } = wanted;
    if (isDeepStrictEqual(known, wanted)) {
        return true;
    }
    refuseSmallerDisk(known, wanted);
    await powerOff(layout, lab, machine);
    return false;
}

/** Lets the machine write to its disk what it still has in memory, and end by itself. */
async function powerOff(layout: CgroupLayout, lab: string, machine: string): Promise<void> {
    await ask(vmFiles(lab, machine).monitor, "system_powerdown").catch(() => undefined);
    for (const deadline = Date.now() + POWER_OFF; isRunning(layout, lab, machine) && Date.now() < deadline;) {
        await sleep(100);
    }
}

/** Has a machine that waits for room on the host's disk go on as well. */
async function reconnect(layout: CgroupLayout, lab: string, machine: string): Promise<boolean> {
    const userNetwork = isUserNetwork(readNetwork(lab));
    const attached = userNetwork
        ? await isPluggedIn(lab, machineNames(lab, machine).hardwareAddress)
        : await onBridge(layout, lab, machine);
    if (attached !== true) {
        // One whose switch has ended isn't plugged into the next: only a start does that.
        await (userNetwork ? powerOff(layout, lab, machine) : undefined);
        return false;
    }
    const { monitor } = vmFiles(lab, machine);
    const state = await vmState(monitor);
    if (state === "io-error" || state === "paused") {
        await ask(monitor, "cont");
        // A write that still finds no room stops it at once.
        await sleep(300);
    }
    return state !== undefined;
}

/** Puts the machine back on its bridge. @returns whether it is there. */
async function onBridge(layout: CgroupLayout, lab: string, machine: string): Promise<boolean> {
    const { interface: port } = machineNames(lab, machine);
    const { bridge } = labNames(lab);
    const { monitor } = vmFiles(lab, machine);
    // One that is just being started has neither yet.
    for (let attempt = 0; !existsSync(join("/sys/class/net", port)) || !existsSync(monitor); attempt++) {
        if (attempt === 30 || !isRunning(layout, lab, machine)) {
            return false;
        }
        await sleep(100);
    }
    if (!existsSync(join("/sys/class/net", bridge, "brif", port))) {
        run("ip", ["link", "set", port, "master", bridge, "up"]);
    }
    return true;
}
