import type { Accelerator, DriverName } from "../../scripts/machines/contract";
import type { SourceName } from "../../scripts/parts/contract";
import type { Generations } from "./authorities";
import type { BackupSpec } from "./backup";

/**
 * The immutable description of one cluster. Everything else in the program is a function of it: a name, an address or a
 * CIDR that is not here is computed nowhere else.
 */

export type ProviderName = "local" | "aws" | "hosts";
export type NetworkMode = "kubenet" | "cni" | "bridge";
export type CniPlugin = "kube-router" | "flannel";
export type Hosting = "systemd" | "static-pods";
export type ServiceProxy = "kube-proxy" | "ipvs" | "none";
/** Packets between nodes: as they are, in a tunnel where the nodes are in different subnets, in a tunnel always. */
export type Overlay = "none" | "subnet" | "full";
export type ProxyMode = "nftables" | "iptables";
export type Role = "control-plane" | "worker";
/**
 * How kubelets get their certificates: by requests to the cluster that they join with a bootstrap token, and renew by themselves; or
 * from the program, as every other process.
 */
export type NodeCertificates = "bootstrap" | "issued";
/** What makes a local machine; `auto` leaves it to the driver and this host. */
export type LocalDriver = DriverName | "auto";
export type PartsDeliveryMode = "download" | "push" | "relay";

/** https://kubernetes.io/docs/concepts/security/pod-security-standards/ */
export const POD_SECURITY_LEVELS = ["privileged", "baseline", "restricted"] as const;
export type PodSecurityLevel = (typeof POD_SECURITY_LEVELS)[number];

/** The name of the key of Secrets in etcd that a cluster begins with. */
export const FIRST_KEY = "key-1";

/** One machine of the cluster, before anything of it exists. */
export interface NodeSpec {
    /** Node name, RFC 1123 label, e.g. `cp-1` or `worker-2`. */
    readonly name: string;
    readonly role: Role;
    /** 1-based position among the nodes of its role. */
    readonly index: number;
    /** The node's own range out of the pod CIDR, e.g. `10.99.1.0/24`; absent where the controller manager allocates it (`cni`). */
    readonly podCidr?: string;
    /** The bridge's address on the node: the first address of `podCidr`. */
    readonly podGateway?: string;
    /** Labels and taints the control plane puts on the Node object (a kubelet may not set them itself, KEP-279). */
    readonly labels: Readonly<Record<string, string>>;
    readonly taints: readonly Taint[];
    /** Nodes of one zone share a subnet; where there are no zones, all nodes do. */
    readonly zone?: string;
}

export interface Taint {
    readonly key: string;
    readonly value?: string;
    readonly effect: "NoSchedule" | "PreferNoSchedule" | "NoExecute";
}

export interface ApiEndpointSpec {
    /** `api.<lab>`: the name every kubeconfig and certificate uses. */
    readonly name: string;
    /** IPv4 address that nodes reach it by; absent where it isn't known before the machines are there. */
    readonly address?: string;
    /** keepalived has `address` on one control plane whose API server works. */
    readonly moves: boolean;
    /** Addresses of all machines that may have `address`, or had it, where it moves between them. */
    readonly holders: readonly string[];
    /** TCP port of the API server, 6443. */
    readonly port: number;
    /** The user's own load balancer, which kubeconfigs have: its IPv4 address or name, and its TCP port. */
    readonly loadBalancer?: { readonly host: string; readonly port: number };
    /** Subject alternative names every API server certificate carries, beside its own machine's addresses. */
    readonly dnsNames: readonly string[];
    readonly ipAddresses: readonly string[];
}

export interface Versions {
    readonly kubernetes: string;
    readonly etcd: string;
    readonly containerd: string;
    readonly runc: string;
    readonly cniPlugins: string;
    readonly coredns: string;
    readonly pause: string;
    readonly flannel: string;
    readonly kubeRouter: string;
}

export interface ComponentSwitches {
    readonly scheduler: boolean;
    readonly controllerManager: boolean;
    readonly kubeProxy: boolean;
    readonly dns: boolean;
}

/** What connects local machines: a bridge of the kernel, which needs root, or a process of the user's. */
export type LocalNetworking = "bridge" | "user";

/** Where a local lab lives on this host. Present when the provider is `local`. */
export interface LocalSpec {
    /** IPv4 CIDR of the lab's bridge, e.g. `10.240.0.0/24`. */
    readonly network: string;
    readonly prefixLength: number;
    /** Address of the bridge on the host: first address of `network`; default route of the machines, address of the registry. */
    readonly gateway: string;
    /** Address of the API endpoint: an address of its own that moves with the control plane, `network` + 10. */
    readonly apiAddress: string;
    /** Address per node name: control plane n = `network` + 10 + n, worker n = `network` + 20 + n. */
    readonly addresses: Readonly<Record<string, string>>;
    readonly networking: LocalNetworking;
    /**
     * The same as the workstation reaches them. With the networking `user` these are addresses of its loopback, whose ports lead to the
     * machines; `gateway` is where its registry listens.
     */
    readonly outer: Pick<LocalSpec, "gateway" | "apiAddress" | "addresses"> & {
        /** TCP port of each machine's SSH server. */
        readonly sshPort: number;
    };
    /** TCP port of the lab's image registry on the gateway address. */
    readonly registryPort: number;
    /** New machines have the parts on their disks from the start, as a VM image would; else they are pushed over SSH. */
    readonly preloadParts: boolean;
    readonly driver: Readonly<Record<Role, LocalDriver>>;
    /** Roles whose new machines are virtual ones on this host. */
    readonly virtual: readonly Role[];
    /** Of those machines that are virtual ones. */
    readonly vm: VmSpec;
}

export interface VmSpec {
    readonly cpus: number;
    /** MiB */
    readonly memory: number;
    /** GiB */
    readonly disk: number;
    readonly accelerator: Accelerator | "auto";
}

/** A machine that exists and stays when the cluster goes. */
export interface HostSpec {
    /** Of the node. */
    readonly name: string;
    readonly role: Role;
    /** IPv4 address or name, from where Pulumi runs. */
    readonly address: string;
    /** IPv4 address, from the other nodes. */
    readonly privateAddress: string;
    /** Anyone but root needs sudo. */
    readonly user: string;
    /** TCP port of its SSH server. */
    readonly port: number;
    /** Absolute path of the user's private SSH key. */
    readonly keyFile: string;
    /** `ssh-ed25519 AAAA…` */
    readonly hostKey: string;
    /** /etc/machine-id that the host must have: given when the installation that is there now is meant, not the one before. */
    readonly machineId?: string;
}

/** What the cluster has on AWS. Present when the provider is `aws`. */
export interface AwsSpec {
    readonly region: string;
    /** Name of a profile of AWS's shared config files; else what the environment says (`AWS_PROFILE`, …). */
    readonly profile?: string;
    /** IPv4 CIDR of the VPC. */
    readonly network: string;
    /** One per availability zone; the sixteenth part of `network` that belongs to the zone's letter. */
    readonly subnets: readonly AwsSubnetSpec[];
    /** IPv4 CIDRs that may reach SSH and the API server. */
    readonly allowedCidrs: readonly string[];
    readonly architecture: "amd64" | "arm64";
    /** Id of the AMI, or `latest`; where it is missing, the newest one at the time of the first machine, for good. */
    readonly ami?: string;
    /** Root volume of each machine in GiB. */
    readonly volumeSize: number;
    /** AWS refuses to terminate the instances. */
    readonly terminationProtection: boolean;
    /** The API endpoint is a load balancer's; else the first control plane's Elastic IP. */
    readonly loadBalancer: boolean;
    /** Absolute path of the user's own private SSH key; one is made where it is missing. */
    readonly keyFile?: string;
    /** The user's own tags, on everything. */
    readonly tags: Readonly<Record<string, string>>;
    /** By node name. */
    readonly machines: Readonly<Record<string, AwsMachineSpec>>;
}

export interface AwsSubnetSpec {
    /** Availability zone, e.g. `eu-central-1a`. */
    readonly zone: string;
    readonly cidr: string;
}

export interface AwsMachineSpec {
    readonly zone: string;
    /** Its address in the zone's subnet: a machine that replaces it has the same. */
    readonly privateAddress: string;
    readonly instanceType: string;
    readonly spot: boolean;
}

export interface ClusterSpec {
    /** The lab's name: RFC 1123 label, at most 32 characters. Default: the stack's name. */
    readonly name: string;
    readonly provider: ProviderName;
    readonly network: NetworkMode;
    /** Read where the network is `cni`, as `overlay` is. */
    readonly cniPlugin: CniPlugin;
    readonly overlay: Overlay;
    readonly hosting: Hosting;
    readonly nodeCertificates: NodeCertificates;
    /** Who implements services on the nodes of a role. */
    readonly serviceProxy: Readonly<Record<Role, ServiceProxy>>;
    readonly proxyMode: ProxyMode;
    readonly podCidr: string;
    readonly serviceCidr: string;
    /** What the bridges of all nodes have while no node has a pod CIDR of its own: `10.99.0.0/24`. */
    readonly bridgeRange: Required<Pick<NodeSpec, "podCidr" | "podGateway">>;
    /** First address of the service CIDR: the `kubernetes` service. */
    readonly apiServiceIp: string;
    /** Tenth address of the service CIDR: the cluster DNS service and every kubelet's `clusterDNS`. */
    readonly dnsIp: string;
    readonly clusterDomain: string;
    readonly api: ApiEndpointSpec;
    /** What kubeconfigs have that outlives a control plane, as one text: `192.168.1.5`, `lb.example:6443`, `the load balancer`. */
    readonly apiEndpoint?: string;
    /**
     * The cluster has several control planes, had them, or has an endpoint for them: their controllers elect a leader, and no node
     * depends on the address of one. That stays when all but one have left, so that nothing runs twice while they leave.
     */
    readonly highlyAvailable: boolean;
    /** Most control planes that the cluster has had. */
    readonly mostControlPlanes: number;
    readonly controlPlanes: readonly NodeSpec[];
    readonly workers: readonly NodeSpec[];
    /** `controlPlanes` then `workers`. */
    readonly nodes: readonly NodeSpec[];
    readonly versions: Versions;
    /** How other versions come to the nodes of a running cluster. */
    readonly upgrade: {
        /** Workers that are drained at the same time. */
        readonly maxUnavailable: number;
        /** Seconds that the pods of a node are given to go. */
        readonly drainTimeout: number;
    };
    readonly components: ComponentSwitches;
    /** Extra or overriding command-line flags per component, e.g. `{ "kube-apiserver": { "v": "4" } }`. */
    readonly flags: Readonly<Partial<Record<FlaggedComponent, Readonly<Record<string, string>>>>>;
    /** The components whose flags are secrets: so is each step that carries them. */
    readonly secretFlags: readonly FlaggedComponent[];
    /** Of `flags`, those that weaken the cluster, which `kubelab:allowInsecure` allows. */
    readonly insecure: readonly InsecureFlag[];
    /** Names of the keys of Secrets in etcd: the first one writes, all of them read. */
    readonly encryptionKeys: readonly string[];
    readonly authorities: Generations;
    /** Absent where no snapshots are taken. */
    readonly backup?: BackupSpec;
    /** Of namespaces without labels of their own, but for kube-system. */
    readonly podSecurity: { readonly enforce: PodSecurityLevel; readonly warn: PodSecurityLevel };
    /** Registry host -> mirror URLs for containerd, e.g. `{ "docker.io": ["https://mirror.example:5000"] }`. */
    readonly registryMirrors: Readonly<Record<string, readonly string[]>>;
    readonly parts: {
        readonly source: SourceName;
        readonly directory?: string;
        /**
         * How they get to the machines: each one downloads them from upstream, they are pushed from here to each, or to the first
         * control plane, which has them for the others.
         */
        readonly delivery: PartsDeliveryMode;
    };
    /** The steps of the bring-up that are done, in order: all, or those up to `kubelab:stopAfter`. */
    readonly steps: readonly BringUpStep[];
    /** Text per node name, and for `host`, that its steps carry: when it changes they run again. */
    readonly repair: Readonly<Record<string, string>>;
    /** Text per node name: when it changes, the machine makes all its keys anew. */
    readonly newKeys: Readonly<Record<string, string>>;
    readonly local?: LocalSpec;
    readonly aws?: AwsSpec;
    readonly hosts?: readonly HostSpec[];
    /** Password of the hosts' users for sudo, secret. Absent where they need none. */
    readonly sudoPassword?: string;
}

export const FLAGGED_COMPONENTS = [
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
] as const;
export type FlaggedComponent = (typeof FLAGGED_COMPONENTS)[number];

/** A flag that weakens the cluster. */
export interface InsecureFlag {
    readonly component: FlaggedComponent;
    readonly flag: string;
    readonly value: string;
    /** What is no longer so. */
    readonly why: string;
}

/**
 * The names of all steps of a bring-up; `bringUpSteps` says which of them a cluster has and in which order. kubenet comes in four:
 * one bridge range for all nodes, a range per node, routes, and rules that let packets pass.
 */
export const BRING_UP_STEPS = [
    "machines",
    "etcd",
    "api-server",
    "controller-manager",
    "scheduler",
    "containerd",
    "kubelet",
    "bridge",
    "pod-cidrs",
    "routes",
    "network",
    "kube-proxy",
    "dns",
] as const;
export type BringUpStep = (typeof BRING_UP_STEPS)[number];
