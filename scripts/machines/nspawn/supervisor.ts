import { rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { labNames, machineNames } from "../names";
import { shellVariables } from "../shell-variables";

/** The settings of a machine's supervisor. */
export interface SupervisorSettings {
    readonly lab: string;
    readonly machine: string;
    readonly machineId: string;
    readonly addresses: readonly string[];
    readonly gateway: string;
    /** The bridge that the machine's link is on, where it isn't its lab's: its name, and the network namespace that it is in. */
    readonly bridge?: { readonly name: string; readonly namespace: string };
    /** Name of the link's other end, where it isn't the machine's own. */
    readonly link?: string;
    /** Directory between the two, with the parts. */
    readonly preloaded?: string | undefined;
    /** The machine's cgroup in every hierarchy. */
    readonly cgroups: readonly string[];
    /** Whether the host has kernel modules for the machine to load. */
    readonly kernelModules: boolean;
}

/** Link in a machine's directory to the root file system below the machine's own changes. */
const BASE_LINK = "base";

/** Directories of a machine's disk that are no overlay: containerd's snapshots are overlays themselves. */
export const REAL_DIRECTORIES = ["containerd", "kubelet"] as const;

/** The mount of the machine's disk has the base by this link: a cache may be at a path with colons or commas, which part mount options. */
export function linkBase(directory: string, base: string): void {
    const link = join(directory, BASE_LINK);
    rmSync(link, { force: true });
    symlinkSync(base, link);
}

/** The shell variables that supervisor.sh reads. */
export function renderSettings(settings: SupervisorSettings): string {
    const names = machineNames(settings.lab, settings.machine);
    const at = (name: string): string => join(names.directory, name);
    return shellVariables({
        NAMESPACE: names.networkNamespace,
        BRIDGE: settings.bridge?.name ?? labNames(settings.lab).bridge,
        BRIDGE_NAMESPACE: settings.bridge?.namespace ?? "",
        INTERFACE: settings.link ?? names.interface,
        HARDWARE_ADDRESS: names.hardwareAddress,
        ALIAS: `kubelab/${settings.lab}/${settings.machine}`,
        ADDRESSES: settings.addresses,
        GATEWAY: settings.gateway,
        CGROUPS: settings.cgroups,
        ROOT: at("root"),
        OVERLAY: `lowerdir=${[settings.preloaded, at(BASE_LINK)].filter((layer) => layer !== undefined).join(":")},upperdir=${at("upper")},workdir=${at("work")}`,
        NSPAWN: nspawn(settings),
    });
}

/** @see https://www.freedesktop.org/software/systemd/man/252/systemd-nspawn.html */
export function nspawn(settings: SupervisorSettings): readonly string[] {
    const names = machineNames(settings.lab, settings.machine);
    return [
        "systemd-nspawn",
        "--quiet",
        "--boot",
        "--register=no",
        // a reboot ends it with 133, for the supervisor to make the network anew
        "--keep-unit",
        `--directory=${join(names.directory, "root")}`,
        `--machine=${names.container}`,
        `--hostname=${settings.machine}`,
        `--uuid=${settings.machineId}`,
        `--network-namespace-path=/run/netns/${names.networkNamespace}`,
        // kubelet, containerd and kube-proxy need them all; what is the host's is kept from them by early-boot
        "--capability=all",
        "--system-call-filter=@keyring bpf @raw-io @module",
        "--resolv-conf=off",
        "--timezone=off",
        "--link-journal=no",
        // the kubelet watches it for out-of-memory kills
        "--bind=/dev/kmsg",
        ...REAL_DIRECTORIES.map((name) => `--bind=${join(names.directory, name)}:/var/lib/${name}`),
        ...(settings.kernelModules ? ["--bind-ro=/lib/modules"] : []),
        // From Debian 13 on, systemd boots on cgroup v1 only when it is told to; to older ones it says nothing.
        "SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1",
    ];
}
