import type { Diff, Existing, Provider } from "../../../scripts/providers/provider";
import { changedKeys, type Properties } from "../../../scripts/providers/value";
import { Cloud, type CloudSettings } from "./cloud";
import type { Handler } from "./handler";
import { elasticAddress, elasticAddressAssociation, instance } from "./instance-resources";
import { internetGateway, route, routeTable, routeTableAssociation, subnet, vpc } from "./network-resources";
import { keyPair, securityGroup, securityGroupRule } from "./security-resources";

type AnyHandler = Handler<Record<string, never>>;

/**
 * `aws:*` for the Pulumi engine, with machines of this host in the place of EC2's. It does what kubelab asks of EC2 and rejects the rest:
 * subnets are bridges of a router, security groups and the source/destination check are enforced on the machines' links, route
 * tables are the router's, Elastic IPs are mapped at its gateway, and user data is run by cloud-init at the first boot.
 */
export function playedEc2(settings: CloudSettings): Provider {
    const cloud = new Cloud(settings);
    const handlers: Readonly<Record<string, AnyHandler>> = {
        "aws:ec2/vpc:Vpc": any(vpc(cloud)),
        "aws:ec2/internetGateway:InternetGateway": any(internetGateway(cloud)),
        "aws:ec2/subnet:Subnet": any(subnet(cloud)),
        "aws:ec2/routeTable:RouteTable": any(routeTable(cloud)),
        "aws:ec2/routeTableAssociation:RouteTableAssociation": any(routeTableAssociation(cloud)),
        "aws:ec2/route:Route": any(route(cloud)),
        "aws:ec2/securityGroup:SecurityGroup": any(securityGroup(cloud)),
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": any(securityGroupRule(cloud, "ingress")),
        "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": any(securityGroupRule(cloud, "egress")),
        "aws:ec2/keyPair:KeyPair": any(keyPair(cloud)),
        "aws:ec2/eip:Eip": any(elasticAddress(cloud)),
        "aws:ec2/eipAssociation:EipAssociation": any(elasticAddressAssociation(cloud)),
        "aws:ec2/instance:Instance": any(instance(cloud)),
    };
    const of = (type: string): AnyHandler => {
        const handler = handlers[type];
        if (handler === undefined) {
            throw new Error(`the played EC2 has no ${type}`);
        }
        return handler;
    };
    // An instance's machine starts and ends beside everything else; all else is quick, and one at a time.
    const inTurn = <T>(type: string, work: () => T | Promise<T>): Promise<T> =>
        type === "aws:ec2/instance:Instance" ? Promise.resolve().then(work) : cloud.exclusively(work);
    return {
        diff: (type, { inputs: before }: Existing, inputs): Diff => {
            const changed = changedKeys(before, inputs);
            const handler = of(type);
            const replace = changed.filter(
                (key) => handler.replaces.includes(key as never) || handler.update === undefined,
            );
            return { changed, replace, stable: ["publicIp", "primaryNetworkInterfaceId", "keyName", "allocationId"] };
        },
        create: async ({ type, name, log }, inputs) => {
            const { id, outputs } = await inTurn(type, () => of(type).create(inputs as never, name, log));
            return { id, outputs: { ...inputs, ...outputs } };
        },
        update: async ({ type }, existing, inputs) => ({
            ...inputs,
            ...(await inTurn(type, () => of(type).update?.(existing, inputs as never) ?? {})),
        }),
        delete: async ({ type }, existing) => {
            await inTurn(type, () => of(type).delete(existing));
            await cloud.exclusively(() => cloud.closeIfEmpty());
        },
        invoke: (token, inputs) => Promise.resolve(lookUp(cloud, token, inputs)),
    };
}

/** A handler's inputs are what its own type says; the engine knows them as properties. */
function any<Args>(handler: Handler<Args>): AnyHandler {
    return handler as unknown as AnyHandler;
}

interface Filter {
    readonly name: string;
    readonly values: readonly string[];
}

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeImages.html; the provider takes the newest of what it answers. */
function lookUp(cloud: Cloud, token: string, inputs: Properties): Properties {
    if (token !== "aws:ec2/getAmi:getAmi") {
        throw new Error(`the played EC2 has no ${token}`);
    }
    const { owners = [], filters = [] } = inputs as unknown as {
        owners?: readonly string[];
        filters?: readonly Filter[];
    };
    const fixed: Readonly<Record<string, string>> = { "virtualization-type": "hvm", "root-device-type": "ebs" };
    const matches = (name: string) =>
        filters.every((filter) => filter.values.some((value) => glob(value).test(fixed[filter.name] ?? name)));
    const [newest] = Object.entries(cloud.account.images)
        .filter(([, image]) => owners.includes(image.owner) && matches(image.name))
        .sort(([, a], [, b]) => (a.creationDate < b.creationDate ? 1 : -1));
    if (newest === undefined) {
        throw new Error("Your query returned no results. Please change your search criteria and try again.");
    }
    const [id, { name, architecture, creationDate }] = newest;
    return { ...inputs, id, imageId: id, name, architecture, creationDate };
}

function glob(pattern: string): RegExp {
    return new RegExp(`^${pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&").replace(/\*/g, ".*")}$`);
}
