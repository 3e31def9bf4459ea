import { SecurityGroup } from "@pulumi/aws/ec2/securityGroup";
import { SecurityGroupEgressRule } from "@pulumi/aws/vpc/securityGroupEgressRule";
import { SecurityGroupIngressRule } from "@pulumi/aws/vpc/securityGroupIngressRule";
import type { Vpc } from "@pulumi/aws/ec2/vpc";
import type * as pulumi from "@pulumi/pulumi";
import type { Component } from "../../component";
import type { AwsSpec, ClusterSpec, Role } from "../../cluster-spec/types";
import type { Tags } from "./tags";

export interface AwsSecurity {
    /** Ids of the security groups of a machine, by its role. */
    readonly groups: Readonly<Record<Role, readonly pulumi.Output<string>[]>>;
    /** Id of the group of control planes alone. */
    readonly controlPlanes: pulumi.Output<string>;
    /** A machine that is there before these can't be reached, and reaches nothing. */
    readonly rules: readonly pulumi.Resource[];
}

/** All protocols and ports. */
const EVERYTHING = { ipProtocol: "-1" };

const tcp = (port: number) => ({ ipProtocol: "tcp", fromPort: port, toPort: port });

/**
 * Who may send what to the machines. From outside: SSH to every machine and the API server's port to control planes, from the
 * configured ranges only. Between the machines: everything, from their own addresses and from those of the pods on them, which a
 * rule that names a group doesn't match (it stands for the addresses of the group's network interfaces,
 * https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html).
 */
export function awsSecurity(
    spec: ClusterSpec,
    aws: AwsSpec,
    vpc: Vpc,
    tags: Tags,
    provider: pulumi.ProviderResource,
    parent: Component,
): AwsSecurity {
    const options = { parent, provider };
    const group = (name: string, description: string): SecurityGroup =>
        new SecurityGroup(parent.nameOf(name), { vpcId: vpc.id, description, tags: tags(name) }, options);
    const nodes = group("nodes", "Machines of the cluster");
    const controlPlanes = group("control-planes", "Control planes of the cluster");

    type From = Pick<
        ConstructorParameters<typeof SecurityGroupIngressRule>[1],
        "cidrIpv4" | "referencedSecurityGroupId"
    >;
    const allow = (
        { id }: SecurityGroup,
        name: string,
        what: { readonly ipProtocol: string; readonly fromPort?: number; readonly toPort?: number },
        from: From,
        description: string,
    ): pulumi.Resource =>
        new SecurityGroupIngressRule(
            parent.nameOf(name),
            { securityGroupId: id, ...what, ...from, description, tags: tags(name) },
            options,
        );

    const rules = [
        ...aws.allowedCidrs.flatMap((cidrIpv4) => [
            allow(nodes, `ssh-from-${cidrIpv4}`, tcp(22), { cidrIpv4 }, "SSH"),
            allow(controlPlanes, `api-from-${cidrIpv4}`, tcp(spec.api.port), { cidrIpv4 }, "API server"),
        ]),
        allow(nodes, "nodes-from-nodes", EVERYTHING, { referencedSecurityGroupId: nodes.id }, "Between the machines"),
        allow(nodes, "nodes-from-pods", EVERYTHING, { cidrIpv4: spec.podCidr }, "From pods"),
        new SecurityGroupEgressRule(
            parent.nameOf("nodes-to-everywhere"),
            {
                securityGroupId: nodes.id,
                ...EVERYTHING,
                cidrIpv4: "0.0.0.0/0",
                description: "Images, packages, parts",
                tags: tags("nodes-to-everywhere"),
            },
            options,
        ),
    ];
    return {
        groups: { "control-plane": [nodes.id, controlPlanes.id], worker: [nodes.id] },
        controlPlanes: controlPlanes.id,
        rules,
    };
}
