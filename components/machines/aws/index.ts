import { Eip } from "@pulumi/aws/ec2/eip";
import { KeyPair } from "@pulumi/aws/ec2/keyPair";
import { Provider, type ProviderArgs } from "@pulumi/aws/provider";
import type * as pulumi from "@pulumi/pulumi";
import type { Component } from "../../component";
import type { SshKey } from "../../steps/ssh-identity";
import { awsProviderConfig } from "../../cluster-spec/aws-config";
import type { AwsSpec, ClusterSpec } from "../../cluster-spec/types";
import type { Rollout } from "../../rollout";
import type { Machine } from "../machine";
import { machineImage } from "./image";
import { AwsMachine } from "./instance";
import { ApiLoadBalancer } from "./load-balancer";
import { awsNetwork } from "./network";
import { awsSecurity } from "./security";
import { tagsOf } from "./tags";

export interface AwsMachinesArgs {
    readonly spec: ClusterSpec;
    readonly aws: AwsSpec;
    readonly sshKey: SshKey;
    readonly rollout: Rollout;
}

/**
 * The machines of a cluster on EC2, in a VPC of the cluster's own, and what the API is reached by: the Elastic IP of the first control
 * plane, which stays when that is stopped and started, or a load balancer before all of them.
 */
export function awsMachines(
    args: AwsMachinesArgs,
    parent: Component,
): {
    readonly machines: Machine[];
    readonly endpoint: pulumi.Output<string>;
    /** Name that the API server's certificate has, where it isn't the endpoint's. */
    readonly serverName?: string;
} {
    const { spec, aws, sshKey, rollout } = args;
    const { profile } = aws;
    const region = aws.region as NonNullable<ProviderArgs["region"]>;
    // The one of the component's options is the user's own.
    const provider =
        parent.getProvider("aws:index:Provider") ??
        new Provider(
            parent.nameOf("aws"),
            { ...awsProviderConfig(), region, ...(profile === undefined ? {} : { profile }) },
            { parent },
        );
    const options = { parent, provider };
    const tags = tagsOf(spec, aws);
    const network = awsNetwork(aws, tags, provider, parent);
    const security = awsSecurity(spec, aws, network.vpc, tags, provider, parent);
    const keyPair = new KeyPair(
        parent.resourceName,
        { publicKey: sshKey.publicKeyOpenssh, tags: tags("key") },
        options,
    );
    const image = machineImage(aws, provider, parent);
    const endpoint = new Eip(
        parent.nameOf("api"),
        { domain: "vpc", tags: tags("api") },
        // https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Internet_Gateway.html: it can't be detached while addresses are mapped.
        { ...options, dependsOn: [network.gateway] },
    );
    const [first] = spec.controlPlanes;
    const machines = spec.nodes.map(
        (node) =>
            new AwsMachine(
                node,
                {
                    ...{ spec, aws, sshKey, keyPair, image, network, security, tags, provider },
                    turn: rollout.replacementOf(node.name),
                    ...(node.name === first?.name ? { elasticAddress: endpoint } : {}),
                },
                parent,
            ),
    );
    if (!aws.loadBalancer) {
        return { machines, endpoint: endpoint.publicIp };
    }
    const balancer = new ApiLoadBalancer({ spec, aws, network, security, machines, tags, provider }, parent);
    return { machines, endpoint: balancer.host, serverName: spec.api.name };
}
