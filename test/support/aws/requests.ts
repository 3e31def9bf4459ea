import {
    addressAt,
    type Cidr,
    contains,
    overlaps,
    parseAddress,
    parseCidr,
    sizeOfCidr,
} from "../../../components/cluster-spec/cidr";
import { type Account, ApiError, type Group, type InstanceState, type Route, rowOf, type Rule } from "./model";

/*
 * What EC2 rejects, by error code: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html. This is known from its
 * documentation only; the page that says it is named where it is another one.
 */

function cidr(text: string): Cidr {
    const parsed = parseCidr(text);
    if ("problem" in parsed) {
        throw new ApiError(
            "InvalidParameterValue",
            `Value (${text}) for parameter cidrBlock is invalid: it ${parsed.problem}`,
        );
    }
    return parsed;
}

/** Limits of https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html. */
export function checkVpc(account: Account, cidrBlock: string): void {
    const { prefix } = cidr(cidrBlock);
    if (prefix < 16 || prefix > 28) {
        throw new ApiError("InvalidVpc.Range", `The CIDR '${cidrBlock}' is invalid.`);
    }
    // The router that plays a VPC has one way out.
    if (Object.keys(account.vpcs).length > 0) {
        throw new ApiError("VpcLimitExceeded", "The maximum number of VPCs has been reached.");
    }
}

export function checkSubnet(account: Account, vpcId: string, cidrBlock: string, zone: string): void {
    const vpc = rowOf(account.vpcs, vpcId, "InvalidVpcID.NotFound");
    const range = cidr(cidrBlock);
    if (!contains(cidr(vpc.cidrBlock), range) || range.prefix > 28) {
        throw new ApiError("InvalidSubnet.Range", `The CIDR '${cidrBlock}' is invalid.`);
    }
    const other = Object.values(account.subnets).find((each) => overlaps(cidr(each.cidrBlock), range));
    if (other !== undefined) {
        throw new ApiError("InvalidSubnet.Conflict", `The CIDR '${cidrBlock}' conflicts with another subnet`);
    }
    if (!/^[a-z]{2}(-[a-z]+)+-\d[a-z]$/.test(zone)) {
        throw new ApiError("InvalidParameterValue", `Value (${zone}) for parameter availabilityZone is invalid.`);
    }
}

export function checkRule(account: Account, rule: Rule): void {
    const group = rowOf(account.groups, rule.securityGroupId, "InvalidGroup.NotFound");
    const { ipProtocol, fromPort, toPort, cidrIpv4, referencedSecurityGroupId } = rule;
    if (!/^(-1|tcp|udp|icmp|\d{1,3})$/.test(ipProtocol) || Number(ipProtocol) > 255) {
        throw new ApiError("InvalidParameterValue", `Invalid value '${ipProtocol}' for IP protocol. Unknown protocol.`);
    }
    const ports = ["tcp", "udp", "6", "17"].includes(ipProtocol);
    const isPort = (port: number | undefined): port is number => port !== undefined && port >= 0 && port <= 65535;
    if (ports && !(isPort(fromPort) && isPort(toPort) && fromPort <= toPort)) {
        throw new ApiError(
            "InvalidParameterValue",
            `Invalid port range ${fromPort ?? ""}-${toPort ?? ""} for ${ipProtocol}`,
        );
    }
    if ((cidrIpv4 === undefined) === (referencedSecurityGroupId === undefined)) {
        throw new ApiError("InvalidParameterCombination", "A rule has one source or destination, and no more.");
    }
    if (cidrIpv4 !== undefined) {
        cidr(cidrIpv4);
    } else if (rowOf(account.groups, referencedSecurityGroupId ?? "", "InvalidGroup.NotFound").vpcId !== group.vpcId) {
        throw new ApiError(
            "InvalidGroup.NotFound",
            "You have specified two resources that belong to different networks.",
        );
    }
    const same = Object.values(account.rules).find((other) => meaning(other) === meaning(rule));
    if (same !== undefined) {
        throw new ApiError("InvalidPermission.Duplicate", "the specified rule already exists");
    }
}

function meaning({ direction, securityGroupId, ipProtocol, fromPort, toPort, ...rule }: Rule): string {
    const whom = rule.cidrIpv4 ?? rule.referencedSecurityGroupId;
    return [direction, securityGroupId, ipProtocol, fromPort, toPort, whom].join(" ");
}

/** https://docs.aws.amazon.com/vpc/latest/userguide/RouteTables.html: a range once, and nothing within the VPC's own but whole subnets. */
export function checkRoute(account: Account, route: Route): void {
    const table = rowOf(account.routeTables, route.routeTableId, "InvalidRouteTableID.NotFound");
    const range = cidr(route.destinationCidrBlock);
    const vpc = rowOf(account.vpcs, table.vpcId, "InvalidVpcID.NotFound");
    if (contains(cidr(vpc.cidrBlock), range)) {
        throw new ApiError(
            "InvalidParameterValue",
            `The destination CIDR block ${route.destinationCidrBlock} is equal to or more specific than one of this VPC's CIDR blocks. This route can target only an interface or an instance.`,
        );
    }
    const others = Object.values(account.routes).filter(({ routeTableId }) => routeTableId === route.routeTableId);
    if (others.some(({ destinationCidrBlock }) => destinationCidrBlock === route.destinationCidrBlock)) {
        throw new ApiError(
            "RouteAlreadyExists",
            `The route identified by ${route.destinationCidrBlock} already exists.`,
        );
    }
    checkTarget(account, route);
}

export function checkTarget(account: Account, { gatewayId, networkInterfaceId }: Route): void {
    if ((gatewayId === undefined) === (networkInterfaceId === undefined)) {
        throw new ApiError("InvalidParameterCombination", "A route has one target, and no more.");
    }
    if (gatewayId !== undefined) {
        rowOf(account.gateways, gatewayId, "InvalidGatewayID.NotFound");
    } else if (!Object.values(account.instances).some((each) => each.networkInterfaceId === networkInterfaceId)) {
        throw new ApiError(
            "InvalidNetworkInterfaceID.NotFound",
            `The networkInterface ID '${networkInterfaceId}' does not exist`,
        );
    }
}

/** https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/create-key-pairs.html */
export function checkKeyPair(account: Account, keyName: string, publicKey: string): void {
    if (!/^ssh-(ed25519|rsa) [A-Za-z0-9+/]+=*( .*)?$/.test(publicKey.trim())) {
        throw new ApiError("InvalidKey.Format", "Key is not in valid OpenSSH public key format");
    }
    if (Object.values(account.keyPairs).some((pair) => pair.keyName === keyName)) {
        throw new ApiError("InvalidKeyPair.Duplicate", `The keypair already exists`);
    }
}

const IMDSV2 = ["optional", "required"];

/** What is asked for beside what is kept of it. */
export interface LaunchRequest extends Omit<InstanceState, "networkInterfaceId" | "publicIp"> {
    readonly httpTokens: string;
    readonly volumeType: string;
}

export function checkInstance(account: Account, request: LaunchRequest): void {
    const image = rowOf(account.images, request.ami, "InvalidAMIID.NotFound");
    const subnet = rowOf(account.subnets, request.subnetId, "InvalidSubnetID.NotFound");
    checkType(image.architecture, request.instanceType);
    const groups = request.groups.map((id): Group => rowOf(account.groups, id, "InvalidGroup.NotFound"));
    if (groups.length === 0 || groups.some(({ vpcId }) => vpcId !== subnet.vpcId)) {
        throw new ApiError("InvalidParameter", "The security groups and the subnet belong to different networks.");
    }
    if (!Object.values(account.keyPairs).some(({ keyName }) => keyName === request.keyName)) {
        throw new ApiError("InvalidKeyPair.NotFound", `The key pair '${request.keyName}' does not exist`);
    }
    const range = cidr(subnet.cidrBlock);
    const address = parseAddress(request.privateIp);
    if (address === undefined || !contains(range, { base: address, prefix: 32 })) {
        throw new ApiError(
            "InvalidParameterValue",
            `Address ${request.privateIp} does not fall within the subnet's address range`,
        );
    }
    // https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html
    const offset = address - range.base;
    if (offset < 4 || offset === sizeOfCidr(range) - 1) {
        throw new ApiError(
            "InvalidParameterValue",
            `Address ${request.privateIp} is in subnet's reserved address range`,
        );
    }
    if (Object.values(account.instances).some(({ privateIp }) => privateIp === request.privateIp)) {
        throw new ApiError("InvalidIPAddress.InUse", `Address ${request.privateIp} is in use.`);
    }
    // https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html: 16 KB before encoding.
    if (Buffer.byteLength(request.userData) > 16_384) {
        throw new ApiError("InvalidParameterValue", "User data is limited to 16384 bytes");
    }
    // https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_ChangingDisableAPITermination.html
    if (request.spot && request.disableApiTermination) {
        throw new ApiError(
            "InvalidParameterCombination",
            "Termination protection is not supported for Spot Instances.",
        );
    }
    if (!IMDSV2.includes(request.httpTokens) || !/^(gp[23]|io[12]|st1|sc1|standard)$/.test(request.volumeType)) {
        throw new ApiError("InvalidParameterValue", `Invalid value for metadata options or volume type`);
    }
}

export function checkType(architecture: string, instanceType: string): void {
    if (!/^[a-z][a-z0-9-]*\.(nano|micro|small|medium|large|\d*xlarge|metal)$/.test(instanceType)) {
        throw new ApiError(
            "InvalidParameterValue",
            `The following supplied instance types do not exist: [${instanceType}]`,
        );
    }
    const processor = /^(a1|[a-z]+\d+g[a-z]*)\./.test(instanceType) ? "arm64" : "x86_64";
    if (processor !== architecture) {
        throw new ApiError(
            "InvalidParameterValue",
            `The architecture '${processor}' of the specified instance type does not match the architecture '${architecture}' of the specified AMI.`,
        );
    }
}

/** What still needs a thing that is to be deleted: https://docs.aws.amazon.com/vpc/latest/userguide/delete-vpc.html */
export function checkUnused(account: Account, id: string): void {
    const { subnets, gateways, routeTables, groups, associations, routes, rules, instances, addresses } = account;
    const users = [
        ...Object.entries(subnets).filter(([, { vpcId }]) => vpcId === id),
        ...Object.entries(gateways).filter(([, { vpcId }]) => vpcId === id),
        ...Object.entries(routeTables).filter(([, { vpcId }]) => vpcId === id),
        ...Object.entries(groups).filter(([, { vpcId }]) => vpcId === id),
        ...Object.entries(associations).filter(([, { routeTableId }]) => routeTableId === id),
        ...Object.entries(routes).filter(([, { gatewayId }]) => gatewayId === id),
        ...Object.entries(rules).filter(
            ([, rule]) => rule.referencedSecurityGroupId === id && rule.securityGroupId !== id,
        ),
        ...Object.entries(instances).filter(([, each]) => each.subnetId === id || each.groups.includes(id)),
        // A gateway is detached first, which needs that no address is mapped through it.
        ...(gateways[id] === undefined
            ? []
            : Object.entries(addresses).filter(([, { instanceId }]) => instanceId !== undefined)),
    ].map(([user]) => user);
    if (users.length > 0) {
        throw new ApiError("DependencyViolation", `${id} has dependencies and cannot be deleted: ${users.join(", ")}`);
    }
}

/** The first address of the range that isn't taken. */
export function freeAddress(account: Account, range: string): string {
    const pool = cidr(range);
    const taken = new Set([
        ...Object.values(account.addresses).map(({ publicIp }) => publicIp),
        ...Object.values(account.instances).map(({ publicIp }) => publicIp),
    ]);
    for (let offset = 1; offset < sizeOfCidr(pool) - 1; offset++) {
        const address = addressAt(pool, offset);
        if (!taken.has(address)) {
            return address;
        }
    }
    throw new ApiError("InsufficientAddressCapacity", "Not enough addresses available");
}
