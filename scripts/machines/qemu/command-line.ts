import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Accelerator, QEMU } from "../choose-driver";
import { consoleLog } from "../launch";
import { machineNames } from "../names";
import type { MachineRecord } from "../records";
import { switchSockets } from "../user-network/files";
import { IMAGE_FILES, vmFiles } from "./files";

/**
 * All that QEMU can emulate, but: with `erms`, kernel and libraries copy by `rep movsb`, which is emulated byte by byte (a copied file
 * takes 1.7 times as long); with `la57`, each address is looked up in one table more.
 */
const EMULATED_CPU = "max,-erms,-la57";

/**
 * @param userNetwork whether the machine is plugged into a switch of the lab's, and not into a bridge.
 * @see https://www.qemu.org/docs/master/system/invocation.html
 */
export function qemu(record: MachineRecord, accelerator: Accelerator, userNetwork = false): readonly string[] {
    const { lab, machine, machineId, vm } = record;
    const names = machineNames(lab, machine);
    const files = vmFiles(lab, machine);
    const vhost = existsSync("/dev/vhost-net") ? ",vhost=on" : "";
    const emulated = accelerator === "tcg";
    return [
        QEMU,
        ...["-name", `guest=${names.container}`],
        ...["-uuid", machineId.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5")],
        "-no-user-config",
        "-nodefaults",
        ...["-display", "none"],
        // What QEMU itself never needs, whatever breaks out of the machine into it.
        ...["-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny"],
        ...["-machine", `q35,accel=${accelerator}`],
        ...["-cpu", emulated ? EMULATED_CPU : "host"],
        ...["-smp", String(vm.cpus)],
        ...["-m", `${vm.memory}M`],
        ...["-kernel", join(record.base, IMAGE_FILES.kernel)],
        ...["-initrd", files.initrd],
        // There is no speculation in an emulated processor to be protected from.
        ...["-append", `console=ttyS0 net.ifnames=0 panic=10 quiet${emulated ? " mitigations=off" : ""}`],
        ...disk("root", files.disk),
        ...(record.preloaded === undefined ? [] : disk("parts", files.parts)),
        ...[
            "-netdev",
            userNetwork
                ? `stream,id=net,server=off,addr.type=unix,addr.path=${switchSockets(lab).machines}`
                : `tap,id=net,ifname=${names.interface},script=no,downscript=no${vhost}`,
        ],
        ...["-device", `virtio-net-pci,netdev=net,mac=${names.hardwareAddress},romfile=`],
        ...["-device", "virtio-rng-pci"],
        ...["-chardev", `file,id=console,path=${consoleLog(lab, machine)},append=on`, "-serial", "chardev:console"],
        ...["-qmp", `unix:${files.monitor},server=on,wait=off`],
    ];
}

/** While the host's own disk is full, the machine waits; it isn't told of errors that it would take for a broken disk. */
function disk(id: string, file: string): string[] {
    const drive = `if=none,id=${id},file=${file},format=qcow2,cache=writeback,discard=unmap,werror=enospc`;
    return ["-drive", drive, "-device", `virtio-blk-pci,drive=${id}`];
}
