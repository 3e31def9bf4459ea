import { refuseOtherEndpoint } from "./api-endpoint";
import { type Generations, refuseUntrusted, replacedAuthorities } from "./authorities";
import { driverOfRole } from "./local";
import { formatPerRole } from "./per-role";
import type { Problem } from "./problems";
import type { ClusterSpec, LocalSpec, Role } from "./types";
import { refuseVersionSkew, type RunningVersions } from "./version-rules";
import { type KeptDrivers, refuseOtherDriver } from "./virtual-machines";

const REASONS = {
    provider: "other machines have none of the cluster's data, and those that it runs on would be deleted",
    name: "certificates, kubeconfigs and machines carry the name",
    network: "running pods keep the network they were started on",
    cniPlugin: "running pods keep the network they were started on",
    overlay: "running pods keep the packet size that their nodes' network had when they were started",
    serviceProxy: "kube-proxy and IPVS each leave their rules behind, and packets would meet both",
    hosting: "the data and ports of units and of static pods are the same, and both would run for a while",
    podCidr: "a node's pod CIDR can't be changed once it is set, and running pods keep their addresses",
    serviceCidr: "services keep their addresses and the certificates name the first one",
    clusterDomain: "running pods keep the search domain they were started with",
    "local.network":
        "machines keep their addresses, and the control plane's data is on a machine that would be deleted",
    "local.networking":
        "machines keep their network, and the control plane's data is on a machine that would be deleted",
    hosts: "the first control plane began it, and keeps what the steps by kubectl need; a host that replaces it gets its name",
    "aws.region": "other machines have none of the cluster's data, and those that it runs on would be deleted",
    "aws.network": "the machines are in the VPC that has this range, and would be deleted with it",
    "aws.architecture": "the control plane's data is on the disk of a machine that would be deleted",
    "aws.availabilityZones[0]": "the control plane's data is on the disk of a machine in that zone",
} as const;

type LifelongKey = keyof typeof REASONS;

/** The settings that a running cluster cannot change; those that it does not use are absent. */
export type KeptForLife = Readonly<Partial<Record<LifelongKey, string>>>;

/** What a run tells the next one of its cluster. */
export interface RunningCluster extends KeptForLife {
    readonly versions?: RunningVersions;
    /** Missing where an earlier version ran it. */
    readonly encryptionKeys?: readonly string[];
    /** Those that were replaced. */
    readonly authorities?: Partial<Generations>;
    /** Most control planes that it has had; missing where there was never more than one. */
    readonly mostControlPlanes?: number;
    /** Which run of the parts tool its programs are of, on all nodes; missing where an earlier version ran it. */
    readonly rolledOut?: string;
    /** `ClusterSpec.apiEndpoint`; missing where there was none. */
    readonly apiEndpoint?: string;
    /** Addresses of hosts that had the endpoint's address, or might have had it. */
    readonly apiHolders?: readonly string[];
    /** What makes its local machines, by role; missing where an earlier version ran it. */
    readonly drivers?: KeptDrivers;
}

/** The part of a spec that its cluster keeps for life, in the order of the config's keys. */
export function keptForLife(spec: ClusterSpec): KeptForLife {
    const { provider, name, network, hosting, podCidr, serviceCidr, clusterDomain } = spec;
    return {
        provider,
        name,
        network,
        ...ofPlugin(spec),
        hosting,
        podCidr,
        serviceCidr,
        clusterDomain,
        ...ofMachines(spec),
    };
}

/** What the next run is to know of the spec's cluster. */
export function runningCluster(spec: ClusterSpec): RunningCluster {
    const { kubernetes, etcd } = spec.versions;
    const authorities = replacedAuthorities(spec.authorities);
    return {
        ...keptForLife(spec),
        versions: { kubernetes, etcd },
        encryptionKeys: spec.encryptionKeys,
        ...(Object.keys(authorities).length === 0 ? {} : { authorities }),
        ...(spec.mostControlPlanes > 1 ? { mostControlPlanes: spec.mostControlPlanes } : {}),
        ...(spec.apiEndpoint === undefined ? {} : { apiEndpoint: spec.apiEndpoint }),
        ...(spec.hosts !== undefined && spec.api.moves ? { apiHolders: spec.api.holders } : {}),
        ...(spec.local === undefined ? {} : { drivers: driversOf(spec, spec.local) }),
    };
}

/** Of the roles that have machines. */
function driversOf({ nodes }: ClusterSpec, local: LocalSpec): KeptDrivers {
    return Object.fromEntries(nodes.map(({ role }) => [role, driverOfRole(local, role)]));
}

function ofMachines({ local, aws, hosts, controlPlanes }: ClusterSpec): KeptForLife {
    const zone = aws?.subnets[0]?.zone;
    const [first] = hosts === undefined ? [] : controlPlanes;
    return {
        ...(first === undefined ? {} : { hosts: first.name }),
        ...(local === undefined ? {} : { "local.network": local.network, "local.networking": local.networking }),
        ...(aws === undefined
            ? {}
            : { "aws.region": aws.region, "aws.network": aws.network, "aws.architecture": aws.architecture }),
        ...(zone === undefined ? {} : { "aws.availabilityZones[0]": zone }),
    };
}

function ofPlugin({ network, cniPlugin, overlay, serviceProxy }: ClusterSpec): KeptForLife {
    if (network !== "cni") {
        return {};
    }
    // Without any, kube-proxy can come later; IPVS can't.
    const proxy = (role: Role): string => (serviceProxy[role] === "ipvs" ? "ipvs" : "kube-proxy");
    const kept = formatPerRole({ "control-plane": proxy("control-plane"), worker: proxy("worker") });
    return { cniPlugin, overlay, ...(cniPlugin === "kube-router" ? { serviceProxy: kept } : {}) };
}

/** The changes that a running cluster cannot follow; none where no cluster is running. */
export function refuseImmutableChange(previous: RunningCluster | undefined, next: ClusterSpec): Problem[] {
    if (previous === undefined) {
        return [];
    }
    const wanted = Object.entries(keptForLife(next)) as [LifelongKey, string][];
    const kept = wanted.flatMap(([key, value]) => {
        const was = previous[key];
        if (was === undefined || was === value) {
            return [];
        }
        const problem = `can't replace ${JSON.stringify(was)} while the cluster is running: ${REASONS[key]}`;
        const remedy = `set it back to ${JSON.stringify(was)}, or destroy the cluster first`;
        return [{ key, value, problem, remedy }];
    });
    return [
        ...kept,
        ...refuseOtherEndpoint(previous.apiEndpoint, {
            apiEndpoint: next.apiEndpoint,
            onAws: next.aws !== undefined,
            controlPlanes: next.controlPlanes.length,
        }),
        ...(next.local === undefined ? [] : refuseOtherDriver(previous.drivers ?? {}, next.local.driver)),
        ...refuseLostKey(previous, next),
        ...refuseUnreadKey(previous, next),
        ...refuseUntrusted(previous.authorities ?? {}, next.authorities),
        ...refuseVersionSkew(previous.versions ?? {}, next.versions),
    ];
}

/** With several API servers, one that restarts first would write with a key that the others can't read with yet. */
function refuseUnreadKey({ encryptionKeys = [] }: RunningCluster, next: ClusterSpec): Problem[] {
    const [writing = ""] = next.encryptionKeys;
    if (next.controlPlanes.length === 1 || encryptionKeys.length === 0 || encryptionKeys.includes(writing)) {
        return [];
    }
    const problem = `begins with ${writing}, which the API servers can't read with yet`;
    const remedy = `add ${writing} at the end, run 'up', and put it first then`;
    return [{ key: "encryptionKeys", value: next.encryptionKeys, problem, remedy }];
}

/** The key that wrote last: what is in etcd needs it until another one has written all of it. */
function refuseLostKey({ encryptionKeys = [] }: RunningCluster, next: ClusterSpec): Problem[] {
    const [writing] = encryptionKeys;
    if (writing === undefined || next.encryptionKeys.includes(writing)) {
        return [];
    }
    const problem = `lacks ${writing}, which the Secrets in etcd are encrypted with`;
    const remedy = `add ${writing} at the end; the 'up' after the next may leave it out`;
    return [{ key: "encryptionKeys", value: next.encryptionKeys, problem, remedy }];
}
