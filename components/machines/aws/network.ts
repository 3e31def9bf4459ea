import { InternetGateway } from "@pulumi/aws/ec2/internetGateway";
import { Route } from "@pulumi/aws/ec2/route";
import { RouteTable } from "@pulumi/aws/ec2/routeTable";
import { RouteTableAssociation } from "@pulumi/aws/ec2/routeTableAssociation";
import { Subnet } from "@pulumi/aws/ec2/subnet";
import { Vpc } from "@pulumi/aws/ec2/vpc";
import type * as pulumi from "@pulumi/pulumi";
import type { Component } from "../../component";
import type { AwsSpec, ClusterSpec } from "../../cluster-spec/types";
import type { Tags } from "./tags";

export interface AwsNetwork {
    readonly vpc: Vpc;
    /** By availability zone. */
    readonly subnets: Readonly<Record<string, Subnet>>;
    readonly gateway: InternetGateway;
    readonly routeTable: RouteTable;
    /** The route to the internet, from every subnet. */
    readonly wayOut: readonly pulumi.Resource[];
}

/**
 * A VPC with a public subnet per availability zone: one route table for all of them, with a route to an internet
 * gateway.
 */
export function awsNetwork(aws: AwsSpec, tags: Tags, provider: pulumi.ProviderResource, parent: Component): AwsNetwork {
    const name = parent.resourceName;
    const options = { parent, provider };
    const vpc = new Vpc(
        name,
        { cidrBlock: aws.network, enableDnsSupport: true, enableDnsHostnames: true, tags: tags("vpc") },
        options,
    );
    const gateway = new InternetGateway(name, { vpcId: vpc.id, tags: tags("gateway") }, options);
    const routeTable = new RouteTable(name, { vpcId: vpc.id, tags: tags("routes") }, options);
    const internet = new Route(
        parent.nameOf("internet"),
        { routeTableId: routeTable.id, destinationCidrBlock: "0.0.0.0/0", gatewayId: gateway.id },
        options,
    );
    const zones = aws.subnets.map(({ zone, cidr }) => {
        const subnet = new Subnet(
            parent.nameOf(zone),
            { vpcId: vpc.id, availabilityZone: zone, cidrBlock: cidr, tags: tags(zone) },
            options,
        );
        const association = new RouteTableAssociation(
            parent.nameOf(zone),
            { subnetId: subnet.id, routeTableId: routeTable.id },
            options,
        );
        return { zone, subnet, association };
    });
    return {
        vpc,
        subnets: Object.fromEntries(zones.map(({ zone, subnet }) => [zone, subnet])),
        gateway,
        routeTable,
        wayOut: [internet, ...zones.map(({ association }) => association)],
    };
}

/**
 * Whether pods of other subnets are reached by the VPC's router: kubenet's host routes end at the edge of a subnet, since their next
 * hop must be a neighbour. CNI plugins have an overlay for that.
 */
export function routesPods(spec: ClusterSpec, aws: AwsSpec): boolean {
    return spec.network === "kubenet" && aws.subnets.length > 1;
}
