import { createHash } from "node:crypto";
import { join } from "node:path";
import { stateDirectory } from "../support/paths";

/** Whether labs are root's, or an ordinary user's: theirs are below their own directories, without cgroups and bridges. */
export const AS_ROOT = process.getuid?.() === 0;

/** Where labs keep what outlives a reboot of the host. */
export const LABS_DIRECTORY = AS_ROOT ? "/var/lib/kubelab" : join(stateDirectory(), "labs");
/** Where labs keep what doesn't. A user's own run-time directory goes when they log out, while machines go on. */
export const RUN_DIRECTORY = AS_ROOT ? "/run/kubelab" : join(stateDirectory(), "run");

/** Directory of images that the lab's registry has beside those of the parts; it may come later. */
export function moreImages(lab: string): string {
    return join(labNames(lab).runDirectory, "images");
}

/** Longest name of a network interface: IFNAMSIZ (16) without the closing NUL. */
const INTERFACE_NAME_LENGTH = 15;

/** Every name that a lab has on its host. */
export interface LabNames {
    readonly bridge: string;
    /** Of the bridge: a bridge without one takes that of a port, and changes it as ports come and go. */
    readonly hardwareAddress: string;
    /** nftables table of family `ip`. */
    readonly table: string;
    readonly directory: string;
    readonly runDirectory: string;
    /** Name of the lab's cgroup. */
    readonly cgroup: string;
}

export interface MachineNames {
    readonly networkNamespace: string;
    /** The machine's interface as the host sees it. */
    readonly interface: string;
    /** Of the machine's own interface, the same after every boot as on a real machine. */
    readonly hardwareAddress: string;
    /** Name systemd-nspawn knows the machine by; unique on the host. */
    readonly container: string;
    readonly directory: string;
    /** Path of the machine's run-time files, without their ending. */
    readonly runFile: string;
}

export function labNames(lab: string): LabNames {
    return {
        bridge: shorten(`lab-${lab}`, INTERFACE_NAME_LENGTH),
        hardwareAddress: hardwareAddress(lab),
        table: `kubelab-${lab}`,
        directory: join(LABS_DIRECTORY, lab),
        runDirectory: join(RUN_DIRECTORY, lab),
        cgroup: `kubelab-${lab}`,
    };
}

export function machineNames(lab: string, machine: string): MachineNames {
    return {
        networkNamespace: `${lab}-${machine}`,
        interface: `${machine.slice(0, 8)}-${hash(`${lab}/${machine}`)}`,
        hardwareAddress: hardwareAddress(`${lab}/${machine}`),
        container: shorten(`${lab}-${machine}`, 63),
        directory: join(LABS_DIRECTORY, lab, machine),
        runFile: join(RUN_DIRECTORY, lab, machine),
    };
}

/** `name` where it is at most `length` characters long, else as much of it as fits before a hash of the whole. */
export function shorten(name: string, length: number): string {
    return name.length <= length ? name : `${name.slice(0, length - 7)}-${hash(name)}`;
}

/** A locally administered unicast MAC address. */
function hardwareAddress(text: string): string {
    return `02:${(hash(text, 10).match(/../g) ?? []).join(":")}`;
}

function hash(text: string, digits = 6): string {
    return createHash("sha256").update(text).digest("hex").slice(0, digits);
}
