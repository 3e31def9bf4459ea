import { z } from "../support/request";
import { ACCELERATORS, DRIVERS, VM_DEFAULTS } from "./choose-driver";
import { RELEASES } from "./rootfs-recipe";

/** The local machine driver: what it reads from standard input, and what it prints. */

export type { Accelerator, DriverName } from "./choose-driver";
export { ACCELERATORS, DRIVERS, hypervisor, type Hypervisor, prefersQemu, VM_DEFAULTS } from "./choose-driver";

/** RFC 1123 label, short enough for every name made from it. */
const label = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/);
/** IPv4, like all addresses here. */
const address = z.string().ip({ version: "v4" });
const cidr = z.string().cidr({ version: "v4" });
const pem = z.string().startsWith("-----BEGIN ");
/** Of this host alone. */
const loopback = address.regex(/^127\./);

/** The stack that a lab belongs to. */
const owner = z
    .object({
        /** The public key that its machines let in: the same as long as the stack's state is. */
        key: z.string(),
        stack: z.string(),
    })
    .readonly();

/** Of `network create`. */
export const networkRequest = z
    .object({
        lab: label,
        /** IPv4 CIDR of the machines, e.g. `10.240.0.0/24`. */
        network: cidr,
        /** The host's own address in `network`. */
        gateway: address,
        /** TCP port of the image registry on `gateway`. */
        registryPort: z.number().int().min(1).max(65535),
        /** New machines have the parts on their disks from the start; else they are pushed over SSH. */
        preload: z.boolean().default(false),
        /** Parts directory whose `images/*.tar` the registry serves; absolute path. */
        partsDirectory: z.string().startsWith("/"),
        /**
         * Address of this host, of its loopback, that the registry listens on: then the network needs no root. It is a process of
         * its own, and the registry answers the machines at `gateway` all the same. Without it, the network is a bridge.
         */
        loopback: loopback.optional(),
        registryCertificate: pem,
        /** Secret. */
        registryKey: pem,
        /** A lab that belongs to another stack isn't touched. */
        owner: owner.optional(),
        /** The owner's project, absolute: where the driver was called. */
        directory: z.string().startsWith("/").optional(),
        /** Never ask whether an upstream registry can be reached: none can. Also `KUBELAB_OFFLINE=1`. */
        offline: z.boolean().default(false),
    })
    .readonly();

const vm = z
    .object({
        cpus: z.number().int().min(1).default(VM_DEFAULTS.cpus),
        /** MiB */
        memory: z.number().int().min(256).default(VM_DEFAULTS.memory),
        /** GiB; what isn't used takes no room. */
        disk: z.number().int().min(4).default(VM_DEFAULTS.disk),
        accelerator: z.enum(["auto", ...ACCELERATORS]).default("auto"),
    })
    .readonly();

/** Of `machine create`. */
export const machineRequest = z
    .object({
        lab: label,
        machine: label,
        /** IPv4 addresses with prefix length; the first is the machine's own. */
        addresses: z.array(cidr).min(1).readonly(),
        gateway: address,
        /** Where the network is a process: TCP ports of this host's loopback, and those of the machine that each one leads to. */
        forwards: z
            .record(z.string().regex(/^127(\.\d{1,3}){3}:\d+$/), z.string().regex(/^\d+(\.\d+){3}:\d+$/))
            .readonly()
            .optional(),
        /** Address by name, for /etc/hosts. */
        hosts: z.record(z.string(), address).readonly().default({}),
        /** sha256 of the functions of steps, which are on its disk then: of this package's, no others can be asked for. */
        stepLibrary: z
            .string()
            .regex(/^[0-9a-f]{64}$/)
            .optional(),
        /** The machine's ED25519 SSH host key in OpenSSH's format, secret. */
        hostKey: pem,
        /** Lines of root's authorized_keys. */
        authorizedKeys: z
            .array(z.string().regex(/^\S[^\n]*$/))
            .min(1)
            .readonly(),
        /** Debian release of its root file system. */
        release: z.enum(RELEASES).default(RELEASES[0]),
        /** What makes it: a container, a virtual machine, or the latter where this host can run it fast. */
        driver: z.enum(["auto", ...DRIVERS]).default("auto"),
        /** Of a virtual machine. */
        vm: vm.default({}),
    })
    .readonly();

/** Of `network delete`: the name, and whose it is where the request says so, so that one of any age can be taken back. */
export const networkName = z.object({ lab: label, owner: owner.optional() }).readonly();

/** Of `machine delete`, likewise. */
export const machineName = z
    .object({ lab: label, machine: label, authorizedKeys: z.array(z.string()).readonly().optional() })
    .readonly();

/** The driver doesn't read it: a request with another text is another request, and is made again. */
interface Repeatable {
    readonly repair?: string;
}

export type NetworkRequest = z.input<typeof networkRequest> & Repeatable;
export type MachineRequest = z.input<typeof machineRequest> & Repeatable;

/** A request as the driver has read it, with its defaults. */
export type NetworkSettings = z.output<typeof networkRequest>;
export type MachineSettings = z.output<typeof machineRequest>;

export interface CreatedNetwork {
    /** Name of the interface, where the network is a bridge. */
    readonly bridge?: string;
}

/** The facts of a machine that its services need. */
export interface MachineFacts {
    /** `systemd` where systemd owns the cgroups alone, else `cgroupfs`; for containerd and the kubelet alike. */
    readonly cgroupDriver: "systemd" | "cgroupfs";
    /** The kubelet refuses cgroup v1 hosts unless told otherwise (KEP-4569). */
    readonly failCgroupV1: boolean;
    /** The kubelet refuses hosts with swap unless told otherwise. */
    readonly failSwapOn: boolean;
    /** containerd's `restrict_oom_score_adj`: for machines that lack CAP_SYS_RESOURCE. */
    readonly restrictOomScoreAdj: boolean;
    /** kube-proxy's `conntrack.maxPerCore`; 0 leaves the kernel's own limit, which a container can't change. */
    readonly conntrackMaxPerCore?: number | undefined;
}

export interface CreatedMachine {
    /** Of this incarnation: another machine in its place has another id. */
    readonly id: string;
    readonly address: string;
    readonly facts: MachineFacts;
}

export interface Deleted {
    /** False where there was nothing. */
    readonly deleted: boolean;
}
