import type { InternetGatewayArgs } from "@pulumi/aws/ec2/internetGateway";
import type { RouteArgs } from "@pulumi/aws/ec2/route";
import type { RouteTableArgs } from "@pulumi/aws/ec2/routeTable";
import type { RouteTableAssociationArgs } from "@pulumi/aws/ec2/routeTableAssociation";
import type { SubnetArgs } from "@pulumi/aws/ec2/subnet";
import type { VpcArgs } from "@pulumi/aws/ec2/vpc";
import type { Cloud } from "./cloud";
import { defined, type Handler, type Inputs, needed } from "./handler";
import { ApiError, type Route, rowOf } from "./model";
import { checkRoute, checkSubnet, checkTarget, checkUnused, checkVpc } from "./requests";
import { attachGateway, createRouter, createSubnet, deleteRouter, deleteSubnet, detachGateway } from "./router";

export function vpc(cloud: Cloud): Handler<VpcArgs> {
    return {
        replaces: ["cidrBlock"],
        create: ({ cidrBlock: range, tags = {} }) => {
            const cidrBlock = needed(range, "CidrBlock");
            checkVpc(cloud.account, cidrBlock);
            const id = cloud.add("vpcs", "vpc", { cidrBlock, tags });
            createRouter(id);
            return { id, outputs: {} };
        },
        update: ({ id }, { cidrBlock, tags = {} }) => {
            cloud.put("vpcs", id, { cidrBlock: needed(cidrBlock, "CidrBlock"), tags });
            return {};
        },
        delete: ({ id }) => {
            checkUnused(cloud.account, id);
            deleteRouter(id);
            cloud.remove("vpcs", id);
        },
    };
}

export function internetGateway(cloud: Cloud): Handler<InternetGatewayArgs> {
    return {
        replaces: ["vpcId"],
        create: ({ vpcId, tags = {} }) => {
            const network = needed(vpcId, "VpcId");
            rowOf(cloud.account.vpcs, network, "InvalidVpcID.NotFound");
            if (Object.values(cloud.account.gateways).some((each) => each.vpcId === network)) {
                throw new ApiError("Resource.AlreadyAssociated", `network ${network} has an internet gateway already`);
            }
            attachGateway(network, cloud.settings.uplink);
            return { id: cloud.add("gateways", "igw", { vpcId: network, tags }), outputs: {} };
        },
        update: ({ id }, { tags = {} }) => {
            cloud.put("gateways", id, { ...rowOf(cloud.account.gateways, id, "InvalidGatewayID.NotFound"), tags });
            return {};
        },
        delete: ({ id }) => {
            checkUnused(cloud.account, id);
            detachGateway(rowOf(cloud.account.gateways, id, "InvalidGatewayID.NotFound").vpcId);
            cloud.remove("gateways", id);
        },
    };
}

export function subnet(cloud: Cloud): Handler<SubnetArgs> {
    return {
        replaces: ["vpcId", "cidrBlock", "availabilityZone"],
        create: ({ vpcId, cidrBlock: range, availabilityZone: zone, tags = {} }) => {
            const cidrBlock = needed(range, "CidrBlock");
            const availabilityZone = needed(zone, "AvailabilityZone");
            checkSubnet(cloud.account, vpcId, cidrBlock, availabilityZone);
            const id = cloud.add("subnets", "subnet", { vpcId, cidrBlock, availabilityZone, tags });
            createSubnet(vpcId, id, cidrBlock);
            cloud.apply();
            return { id, outputs: {} };
        },
        delete: ({ id }) => {
            checkUnused(cloud.account, id);
            deleteSubnet(rowOf(cloud.account.subnets, id, "InvalidSubnetID.NotFound").vpcId, id);
            cloud.remove("subnets", id);
        },
    };
}

export function routeTable(cloud: Cloud): Handler<RouteTableArgs> {
    return {
        replaces: ["vpcId"],
        create: ({ vpcId, tags = {} }) => {
            rowOf(cloud.account.vpcs, vpcId, "InvalidVpcID.NotFound");
            return { id: cloud.add("routeTables", "rtb", { vpcId, tags }), outputs: {} };
        },
        delete: ({ id }) => {
            checkUnused(cloud.account, id);
            cloud.remove("routeTables", id);
            for (const [route] of Object.entries(cloud.account.routes).filter(([, each]) => each.routeTableId === id)) {
                cloud.remove("routes", route);
            }
        },
    };
}

export function routeTableAssociation(cloud: Cloud): Handler<RouteTableAssociationArgs> {
    return {
        replaces: ["subnetId", "gatewayId"],
        create: ({ subnetId: member, routeTableId }) => {
            const subnetId = needed(member, "SubnetId");
            rowOf(cloud.account.subnets, subnetId, "InvalidSubnetID.NotFound");
            rowOf(cloud.account.routeTables, routeTableId, "InvalidRouteTableID.NotFound");
            if (Object.values(cloud.account.associations).some((each) => each.subnetId === subnetId)) {
                throw new ApiError(
                    "Resource.AlreadyAssociated",
                    `${subnetId} is associated with a route table already`,
                );
            }
            const id = cloud.add("associations", "rtbassoc", { subnetId, routeTableId });
            cloud.apply();
            return { id, outputs: {} };
        },
        delete: ({ id }) => {
            cloud.remove("associations", id);
            cloud.apply();
        },
    };
}

export function route(cloud: Cloud): Handler<RouteArgs> {
    const read = (inputs: Inputs<RouteArgs>): Route => ({
        routeTableId: inputs.routeTableId,
        destinationCidrBlock: needed(inputs.destinationCidrBlock, "DestinationCidrBlock"),
        ...defined({ gatewayId: inputs.gatewayId, networkInterfaceId: inputs.networkInterfaceId }),
    });
    return {
        replaces: ["routeTableId", "destinationCidrBlock"],
        create: (inputs) => {
            const wanted = read(inputs);
            checkRoute(cloud.account, wanted);
            const id = cloud.add("routes", "r", wanted);
            cloud.apply();
            return { id, outputs: {} };
        },
        update: ({ id }, inputs) => {
            const wanted = read(inputs);
            checkTarget(cloud.account, wanted);
            cloud.put("routes", id, wanted);
            cloud.apply();
            return {};
        },
        delete: ({ id }) => {
            cloud.remove("routes", id);
            cloud.apply();
        },
    };
}
