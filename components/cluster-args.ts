import type { Generations } from "./cluster-spec/authorities";
import type {
    BringUpStep,
    FlaggedComponent,
    LocalDriver,
    PodSecurityLevel,
    Role,
    Versions,
} from "./cluster-spec/types";

type ServiceProxySetting = "auto" | "kube-proxy" | "ipvs";

/**
 * The description of a cluster. Everything has a default. Values are plain, since the number and the names of resources
 * follow from them. `Cluster` checks all of them and reports all problems together.
 *
 * Each one is a key of the stack config as well (`kubelab:podCidr` is `podCidr`): `clusterArgsFromConfig` reads them
 * from there.
 */
export interface ClusterArgs {
    /**
     * Where the machines come from: `local` (containers that boot like machines, on this host), `aws`, `hosts` (machines that exist).
     * Default: `"local"`. Example: `"aws"`
     */
    readonly provider?: "local" | "aws" | "hosts";
    /**
     * Name of the lab, which the machines, their bridge and the kubeconfig have: an RFC 1123 label of at most 32 characters. No two labs
     * of one host may share it. Default: `""`, which stands for the component's name. Example: `"blue"`
     */
    readonly name?: string;
    /**
     * Pod network: `kubenet` (a bridge and routes), `cni` (a plugin), `bridge` (the same bridge range on every node).
     * Default: `"kubenet"`. Example: `"cni"`
     */
    readonly network?: "kubenet" | "cni" | "bridge";
    /** The plugin where the network is `cni`. Default: `"kube-router"`. Example: `"flannel"` */
    readonly cniPlugin?: "kube-router" | "flannel";
    /**
     * How pods' packets go between nodes where the network is `cni`: `none` (as they are; needs all nodes in one subnet), `subnet` (in a
     * tunnel between subnets), `full` (always in a tunnel), `auto` (`none` where one subnet is known, else `subnet`).
     * Default: `"auto"`. Example: `"full"`
     */
    readonly overlay?: "auto" | "none" | "subnet" | "full";
    /**
     * Number of control planes: 1, 3 or 5. With provider `hosts`, the list decides. Default: `1`. Example: `3`
     */
    readonly controlPlanes?: number;
    /**
     * Number of workers, 0 to 1000; with 0 the control planes run pods. With provider `hosts`, the list decides.
     * Default: `2`. Example: `0`
     */
    readonly workers?: number;
    /**
     * Addresses of pods, an IPv4 CIDR. Worker n gets the nth /24 of it, control plane n the nth from the end.
     * Default: `"10.99.0.0/16"`. Example: `"172.20.0.0/16"`
     */
    readonly podCidr?: string;
    /**
     * Addresses of services, an IPv4 CIDR from /12 to /28. The first is the API's, the tenth is the cluster DNS's.
     * Default: `"10.32.0.0/24"`. Example: `"10.96.0.0/16"`
     */
    readonly serviceCidr?: string;
    /** DNS domain of services. Default: `"cluster.local"`. Example: `"lab.internal"` */
    readonly clusterDomain?: string;
    /**
     * Version by part, without a `v` before it. Default: `{}`, which stands for those pinned in scripts/parts/parts.yaml.
     * Example: `{ kubernetes: "1.36.3" }`
     */
    readonly versions?: Partial<Versions>;
    /** How other versions come to the nodes of a running cluster; docs/upgrade.md. Default: `{}`. Example: `{ maxUnavailable: 2 }` */
    readonly upgrade?: UpgradeArgs;
    /** How the control plane runs: `systemd` (units), `static-pods`. Default: `"systemd"`. Example: `"static-pods"` */
    readonly hosting?: "systemd" | "static-pods";
    /**
     * How kubelets get their certificates: `bootstrap` (they ask the cluster, at first with a token that is good for one node, and renew
     * them by themselves), `issued` (an `up` signs them, for a year). Default: `""`, which stands for `bootstrap`, and for `issued` with
     * static pods or without a controller manager. Example: `"issued"`
     */
    readonly nodeCertificates?: "bootstrap" | "issued" | "";
    /** Parts that can be left out. Default: `{}`, which stands for all of them. Example: `{ dns: false }` */
    readonly components?: ComponentArgs;
    /** Last step of the bring-up, to look at a half-built cluster. Default: `""`, all steps. Example: `"api-server"` */
    readonly stopAfter?: BringUpStep | "";
    /**
     * Who implements services: `kube-proxy`, `ipvs` (kube-router's), `auto` (`ipvs` where it can be had, else `kube-proxy`);
     * for all nodes, or by role. Default: `"auto"`. Example: `{ controlPlanes: "kube-proxy", workers: "ipvs" }`
     */
    readonly serviceProxy?:
        ServiceProxySetting | { readonly controlPlanes?: ServiceProxySetting; readonly workers?: ServiceProxySetting };
    /** What kube-proxy writes. Default: `"nftables"`. Example: `"iptables"` */
    readonly proxyMode?: "nftables" | "iptables";
    /**
     * Command-line flags by component, without dashes; one that kubelab owns, or that weakens the cluster, is
     * refused. Lists such as enable-admission-plugins are added to kubelab's.
     * Default: `{}`. Example: `{ "kube-apiserver": { v: "4" } }`
     */
    readonly flags?: Partial<Record<FlaggedComponent, Readonly<Record<string, string | number | boolean>>>>;
    /**
     * Flags that `flags` may set though they weaken the cluster; `scripts/lab status` shows them.
     * Default: `[]`. Example: `["anonymous-auth"]`
     */
    readonly allowInsecure?: readonly string[];
    /**
     * Names of the keys that Secrets are encrypted with in etcd; each stands for 32 random bytes. The first one writes, all of them
     * read; docs/security.md says how to replace one. Default: `[]`, which stands for `key-1`. Example: `["key-2", "key-1"]`
     */
    readonly encryptionKeys?: readonly string[];
    /**
     * Numbers of the keys of `kubernetes-ca`, `etcd-ca`, `front-proxy-ca` and `service-accounts`: the first one signs, all of them are
     * trusted. Three runs replace a key, as docs/rotation.md says. Default: `{}`, 1 each. Example: `{ "etcd-ca": [1, 2] }`
     */
    readonly authorities?: Partial<Generations>;
    /** Snapshots of etcd, taken by a timer on each control plane. Default: `{}`, none. Example: `{ every: "6h", keep: 28 }` */
    readonly backup?: BackupArgs;
    /**
     * Pod Security levels of namespaces that have no labels of their own; kube-system is exempt.
     * Default: `{}`. Example: `{ enforce: "restricted" }`
     */
    readonly podSecurity?: PodSecurityArgs;
    /**
     * Mirrors for containerd, http or https URLs, by the host of their registry.
     * Default: `{}`. Example: `{ "docker.io": ["https://mirror.example:5000"] }`
     */
    readonly registryMirrors?: Readonly<Record<string, readonly string[]>>;
    /** Where binaries and images come from, and how they get to the machines. Default: `{}`. Example: `{ source: "build" }` */
    readonly parts?: PartsArgs;
    /** Settings of the provider `local`. Default: `{}`. Example: `{ network: "10.241.0.0/24" }` */
    readonly local?: LocalArgs;
    /** Settings of the provider `aws`. Default: `{}`. Example: `{ allowedCidrs: ["203.0.113.7/32"] }` */
    readonly aws?: AwsArgs;
    /**
     * The machines of the provider `hosts`. Default: `[]`.
     * Example: `[{ role: "control-plane", address: "192.168.1.10", keyFile: "/home/me/.ssh/id_ed25519", hostKey: "ssh-ed25519 AAAA…" }]`
     */
    readonly hosts?: readonly HostArgs[];
    /**
     * Where the API of a cluster on hosts is reached, whichever control planes work. More than one control plane needs it. Given from
     * the beginning, it is in the first kubeconfig, and more control planes change nothing for anybody. Default: `{}`, the address of
     * the only control plane. Example: `{ address: "192.168.1.5" }`
     */
    readonly apiEndpoint?: ApiEndpointArgs;
    /**
     * The password for sudo on the hosts; kept as a secret. Default: `""`, nothing. Example:
     * `new pulumi.Config().get("sudoPassword")`
     */
    readonly sudoPassword?: string;
    /**
     * Any text by node, or for `host` (bridge, NAT and registry of a local lab) or `all`. A changed text runs the steps
     * of that node again, which fixes drift. Default: `{}`. Example: `{ "worker-1": "2026-11-27" }`
     */
    readonly repair?: Readonly<Record<string, string>>;
    /**
     * Any text by node, or for `all`. A changed text has that machine make all its keys anew, with certificates for them.
     * Default: `{}`. Example: `{ "worker-1": "2026-11-27" }`
     */
    readonly newKeys?: Readonly<Record<string, string>>;
    /**
     * Where the kubeconfig, the SSH key and the known host keys are kept as files: a path from the project's directory that no other
     * cluster has. No key of the config. Default: `.kubelab/<stack>/<name of the component>`. Example: `"clients/blue"`
     */
    readonly directory?: string;
}

/** Parts of a cluster that can be left out. */
export interface ComponentArgs {
    /** Default: `true`. Example: `false` */
    readonly scheduler?: boolean;
    /** Default: `true`. Example: `false` */
    readonly controllerManager?: boolean;
    /** Default: `true`. Example: `false` */
    readonly kubeProxy?: boolean;
    /** CoreDNS. Default: `true`. Example: `false` */
    readonly dns?: boolean;
}

/** Snapshots of etcd; docs/backup.md. */
export interface BackupArgs {
    /**
     * How often: minutes that divide an hour, hours that divide a day, or `1d`, in UTC. A machine that was off takes the one that it
     * missed. Required. Example: `"6h"`
     */
    readonly every?: string;
    /** How many snapshots stay on a machine, the newest ones, 1 to 1000. Default: `28`. Example: `7` */
    readonly keep?: number;
    /** Absolute path of a directory of etcd's own on the machine. Default: `"/var/lib/etcd-backup/snapshots"`. Example: `"/srv/etcd/snapshots"` */
    readonly directory?: string;
}

/** A change of versions, node by node. */
export interface UpgradeArgs {
    /** Workers that are drained at the same time, 1 to 1000. Default: `1`. Example: `2` */
    readonly maxUnavailable?: number;
    /** Seconds that the pods of a node are given to go, 1 to 86400; then the rollout stops. Default: `300`. Example: `900` */
    readonly drainTimeout?: number;
}

/** https://kubernetes.io/docs/concepts/security/pod-security-standards/ */
export interface PodSecurityArgs {
    /** Pods beyond it are refused: `privileged` (none is), `baseline`, `restricted`. Default: `"baseline"`. Example: `"restricted"` */
    readonly enforce?: PodSecurityLevel;
    /** `kubectl` warns of pods beyond it. Default: `"restricted"`. Example: `"privileged"` */
    readonly warn?: PodSecurityLevel;
}

/** Where binaries and images come from, and how they get to the machines. */
export interface PartsArgs {
    /**
     * `auto` (what is cached, else download, else build), `download`, `build` or `directory`.
     * Default: `"auto"`. Example: `"download"`
     */
    readonly source?: "auto" | "download" | "build" | "directory";
    /** Absolute path of a parts directory, for the source `directory`. Default: none. Example: `"/srv/kubelab-parts"` */
    readonly directory?: string;
    /**
     * `push` (from here to each machine), `download` (each machine by itself), `relay` (to the first control plane, from there to the
     * others). Default: `"download"` on aws, else `"push"`. Example: `"relay"`
     */
    readonly delivery?: "push" | "download" | "relay";
}

/** A lab on this host. */
export interface LocalArgs {
    /** Range of the lab's bridge, a private IPv4 CIDR that no other lab has. Default: `"10.240.0.0/24"`. Example: `"10.241.0.0/24"` */
    readonly network?: string;
    /** TCP port of the lab's image registry, on the bridge. Default: `5000`. Example: `5001` */
    readonly registryPort?: number;
    /** New machines have the parts on their disks; else they are pushed over SSH. Default: `true`. Example: `false` */
    readonly preloadParts?: boolean;
    /**
     * What makes the machines: `nspawn` (containers that boot like machines), `qemu` (virtual machines), `auto` (virtual ones where this
     * host has KVM and QEMU); for all, or by role. A running cluster keeps it. Default: `"auto"`. Example: `{ workers: "qemu" }`
     */
    readonly driver?: LocalDriver | { readonly controlPlanes?: LocalDriver; readonly workers?: LocalDriver };
    /** Processors of each virtual machine. Default: `2`. Example: `4` */
    readonly cpus?: number;
    /** Memory of each virtual machine in MiB. Default: `2048`. Example: `4096` */
    readonly memory?: number;
    /** Disk of each virtual machine in GiB; it can grow, and takes no more room than is used. Default: `20`. Example: `40` */
    readonly disk?: number;
    /**
     * What runs virtual machines: `kvm` (this host's processor), `tcg` (emulation, which is slow), `auto` (`kvm` where it can be used).
     * Default: `"auto"`. Example: `"tcg"`
     */
    readonly accelerator?: "auto" | "kvm" | "tcg";
    /**
     * What connects the machines: `bridge` (a bridge of this host, which needs root), `user` (a process; virtual machines only, without
     * root). Default: `"bridge"`. Example: `"user"`
     */
    readonly networking?: "bridge" | "user";
}

/** Machines on EC2. A provider in the component's options is used for all resources of AWS. */
export interface AwsArgs {
    /** Who may reach SSH and the API server, IPv4 CIDRs. Required. Example: `["203.0.113.7/32"]` */
    readonly allowedCidrs?: readonly string[];
    /** Region of the machines, and of kubelab's own AWS provider. Default: `"eu-central-1"`. Example: `"us-east-1"` */
    readonly region?: string;
    /** Profile of AWS's shared config files, for kubelab's own provider. Default: as the environment says. Example: `"lab"` */
    readonly profile?: string;
    /** Zones that machines take turns in. Default: the region's first. Example: `["eu-central-1a", "eu-central-1b"]` */
    readonly availabilityZones?: readonly string[];
    /** Range of the VPC, a private IPv4 CIDR from /16 to /20. Default: `"10.240.0.0/16"`. Example: `"10.50.0.0/16"` */
    readonly network?: string;
    /** Of all machines. Default: `"amd64"`. Example: `"arm64"` */
    readonly architecture?: "amd64" | "arm64";
    /** Default: `"t3.medium"`, on arm64 `"t4g.medium"`. Example: `"m7i.large"` */
    readonly controlPlaneType?: string;
    /** Default: `"t3.medium"`, on arm64 `"t4g.medium"`. Example: `"m7i.large"` */
    readonly workerType?: string;
    /**
     * The API is reached by a network load balancer, which more than one control plane needs. Given from the beginning, more control planes
     * change no kubeconfig. Default: with more than one control plane. Example: `true`
     */
    readonly loadBalancer?: boolean;
    /** Workers are spot instances. Default: `false`. Example: `true` */
    readonly spotWorkers?: boolean;
    /** Id of the AMI, or `latest`. Default: the newest Debian at the first `up`, kept. Example: `"ami-0123456789abcdef0"` */
    readonly ami?: string;
    /** Root volume of each machine in GiB, 8 to 16384. Default: `20`. Example: `50` */
    readonly volumeSize?: number;
    /** AWS refuses to terminate the instances. Default: `false`. Example: `true` */
    readonly terminationProtection?: boolean;
    /** Absolute path of a private SSH key of your own. Default: one is made. Example: `"/home/me/.ssh/id_ed25519"` */
    readonly keyFile?: string;
    /** Tags of everything, beside kubelab's own. Default: `{}`. Example: `{ team: "storage" }` */
    readonly tags?: Readonly<Record<string, string>>;
}

/** Where the API of a cluster on hosts is reached: one of the two. */
export interface ApiEndpointArgs {
    /**
     * A free IPv4 address of the control planes' subnet, which keepalived has on one of them. Default: none.
     * Example: `"192.168.1.5"`
     */
    readonly address?: string;
    /**
     * A load balancer of your own before the control planes, `HOST` or `HOST:PORT`. Default: none; port: `6443`.
     * Example: `"lb.example:6443"`
     */
    readonly loadBalancer?: string;
}

/** A machine that exists and stays when the cluster goes. */
export interface HostArgs {
    /** Required. Example: `"worker"` */
    readonly role: Role;
    /** IPv4 address or name, from here. Required. Example: `"192.168.1.11"` */
    readonly address: string;
    /** Absolute path of the user's private SSH key. Required. Example: `"/home/me/.ssh/id_ed25519"` */
    readonly keyFile: string;
    /** The host's public key, as /etc/ssh/ssh_host_ed25519_key.pub has it. Required. Example: `"ssh-ed25519 AAAA…"` */
    readonly hostKey: string;
    /** Of the node, an RFC 1123 label. Default: by role and position, `cp-1`. Example: `"rack-7"` */
    readonly name?: string;
    /** IPv4 address, from the other nodes. Default: `address`. Example: `"10.1.1.11"` */
    readonly privateAddress?: string;
    /** Anyone but root needs sudo. Default: `"root"`. Example: `"debian"` */
    readonly user?: string;
    /** TCP port of its SSH server. Default: `22`. Example: `2222` */
    readonly port?: number;
    /** /etc/machine-id that it must have. Default: whatever it was when the host joined. Example: `"8e3f…"` (32 hex digits) */
    readonly machineId?: string;
}
