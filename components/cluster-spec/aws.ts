import { ARCHITECTURE } from "../../scripts/parts/contract";
import { addressAt, type Cidr, formatCidr, sizeOfCidr, subnetAt } from "./cidr";
import type { Problem } from "./problems";
import type { Config } from "./schema";
import type { AwsMachineSpec, AwsSpec, NodeSpec, Role } from "./types";

/** https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html: a VPC is a /16 to a /28; ours is cut into sixteen. */
export const VPC_PREFIXES = { largest: 16, smallest: 20 } as const;
const ZONE_BITS = 4;
const FIRST: Readonly<Record<Role, number>> = { "control-plane": 10, worker: 20 };

/** https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html, "Route tables": the default since June 2025. */
const ROUTES_PER_TABLE = 500;
/** The VPC's own and the one to the internet gateway. */
const OWN_ROUTES = 2;

const DEFAULT_TYPES = { amd64: "t3.medium", arm64: "t4g.medium" } as const;

/** Architecture of an instance type by its name: AWS's own processors have a "g" behind the generation, as in `t4g.small`. */
export function architectureOf(instanceType: string): "amd64" | "arm64" {
    return /^(a1|[a-z]+\d+g[a-z]*)\./.test(instanceType) ? "arm64" : "amd64";
}

/** The subnet of a zone: the letter decides, so that another order of zones moves nothing. */
function subnetOf(network: Cidr, zone: string): Cidr {
    return subnetAt(network, network.prefix + ZONE_BITS, zone.charCodeAt(zone.length - 1) - "a".charCodeAt(0));
}

/**
 * Where every machine is, and what it is.
 *
 * Machines have addresses of their own choice, so that a replaced one has its predecessor's: control plane n has the subnet's
 * address number 10 + n, worker n number 20 + n. (AWS keeps the first four and the last of a subnet,
 * https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html.) They take turns in the zones.
 */
export function planAws(config: Config["aws"], nodes: readonly NodeSpec[], loadBalancer: boolean): AwsSpec {
    const { region, network, architecture, allowedCidrs = [], keyFile, profile, ami } = config;
    const zones = zonesOf(config);
    const machine = ({ name, role, index }: NodeSpec): readonly [string, AwsMachineSpec] => {
        const zone = zones[(index - 1) % zones.length] ?? "";
        const type = role === "control-plane" ? config.controlPlaneType : config.workerType;
        const privateAddress = addressAt(subnetOf(network, zone), FIRST[role] + index);
        const instanceType = type ?? DEFAULT_TYPES[architecture];
        return [name, { zone, privateAddress, instanceType, spot: role === "worker" && config.spotWorkers }];
    };
    return {
        region,
        network: formatCidr(network),
        subnets: zones.map((zone) => ({ zone, cidr: formatCidr(subnetOf(network, zone)) })),
        allowedCidrs: allowedCidrs.map(formatCidr),
        architecture,
        volumeSize: config.volumeSize,
        terminationProtection: config.terminationProtection,
        loadBalancer,
        tags: config.tags,
        machines: Object.fromEntries(nodes.map(machine)),
        ...(ami === undefined ? {} : { ami }),
        ...(keyFile === undefined ? {} : { keyFile }),
        ...(profile === undefined ? {} : { profile }),
    };
}

/** The nodes with the zone that each is in, also as the usual labels. */
export function placeNodes(nodes: readonly NodeSpec[], { region, machines }: AwsSpec): NodeSpec[] {
    return nodes.map((node) => {
        const zone = machines[node.name]?.zone ?? "";
        // https://kubernetes.io/docs/reference/labels-annotations-taints/#topologykubernetesiozone
        const labels = { "topology.kubernetes.io/region": region, "topology.kubernetes.io/zone": zone };
        return { ...node, zone, labels: { ...node.labels, ...labels } };
    });
}

/** What is wrong between the settings of `kubelab:aws`, and between them and the rest. */
export function checkAws(config: Partial<Config>): Problem[] {
    const { aws, controlPlanes = 0, workers = 0, network } = config;
    if (aws === undefined) {
        return [];
    }
    const problems: Problem[] = [];
    const add = (setting: string, value: unknown, problem: string, remedy: string) =>
        problems.push({ key: `aws.${setting}`, value, problem, remedy });

    if (aws.allowedCidrs === undefined) {
        const remedy = "list the ranges that may reach SSH and the API server, e.g. your own address: [203.0.113.7/32]";
        add("allowedCidrs", undefined, "is missing, and the provider is aws", remedy);
    }
    for (const [position, zone] of zonesOf(aws).entries()) {
        const setting = `availabilityZones[${position}]`;
        if (!/^[a-p]$/.test(zone.slice(aws.region.length)) || !zone.startsWith(aws.region)) {
            add(setting, zone, `is not a zone of ${aws.region}`, `write it like ${aws.region}a`);
        } else if (zonesOf(aws).indexOf(zone) !== position) {
            add(setting, zone, "is in the list twice", "list each zone once");
        }
    }
    if (aws.loadBalancer === false && controlPlanes > 1) {
        const problem = `is off, and ${controlPlanes} control planes have no other address in common`;
        add("loadBalancer", false, problem, "remove it");
    }
    const { largest, smallest } = VPC_PREFIXES;
    if (aws.network.prefix < largest || aws.network.prefix > smallest) {
        const problem = `is not the size of a VPC that has sixteen subnets for machines`;
        add("network", formatCidr(aws.network), problem, `use a /${largest} to a /${smallest}`);
    } else if (FIRST.worker + workers >= sizeOfCidr(aws.network) / 2 ** ZONE_BITS - 1) {
        const problem = `has subnets that are too small for ${workers} workers`;
        add("network", formatCidr(aws.network), problem, `use a larger one, up to a /${largest}`);
    }
    for (const setting of ["controlPlaneType", "workerType"] as const) {
        const type = aws[setting];
        if (type !== undefined && architectureOf(type) !== aws.architecture) {
            const other = architectureOf(type);
            add(setting, type, `is a machine of ${other}`, `set kubelab:aws.architecture to ${other}, or use another`);
        }
    }
    const delivery = config.parts?.delivery ?? "download";
    if (aws.architecture !== ARCHITECTURE && delivery !== "download") {
        const problem = `sends parts of this host, which are for ${ARCHITECTURE}, and the machines are ${aws.architecture}`;
        problems.push({ key: "parts.delivery", value: delivery, problem, remedy: 'use "download"' });
    }
    const routes = controlPlanes + workers + OWN_ROUTES;
    if (network !== "cni" && zonesOf(aws).length > 1 && routes > ROUTES_PER_TABLE) {
        const problem = `need a VPC route per node beside ${OWN_ROUTES} others, and a route table holds ${ROUTES_PER_TABLE}`;
        const remedy = "use one zone, fewer workers, or the network cni";
        add("availabilityZones", zonesOf(aws), problem, remedy);
    }
    if (network === "cni" && config.overlay === "none" && zonesOf(aws).length > 1) {
        const problem = "is for one subnet, and kubelab:aws.availabilityZones makes several";
        problems.push({ key: "overlay", value: config.overlay, problem, remedy: 'use "subnet" or "auto"' });
    }
    return problems;
}

function zonesOf({ availabilityZones, region }: Config["aws"]): readonly string[] {
    return availabilityZones ?? [`${region}a`];
}
