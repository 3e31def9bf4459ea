import type { KeyPairArgs } from "@pulumi/aws/ec2/keyPair";
import type { SecurityGroupArgs } from "@pulumi/aws/ec2/securityGroup";
import type { SecurityGroupIngressRuleArgs } from "@pulumi/aws/vpc/securityGroupIngressRule";
import type { Cloud } from "./cloud";
import { defined, type Handler, type Inputs, needed } from "./handler";
import { ApiError, rowOf, type Rule } from "./model";
import { checkKeyPair, checkRule, checkUnused } from "./requests";

export function securityGroup(cloud: Cloud): Handler<SecurityGroupArgs> {
    return {
        replaces: ["name", "namePrefix", "description", "vpcId"],
        create: ({ vpcId: network, ingress, egress, tags = {} }) => {
            const vpcId = needed(network, "VpcId");
            rowOf(cloud.account.vpcs, vpcId, "InvalidVpcID.NotFound");
            if (ingress !== undefined || egress !== undefined) {
                throw new ApiError(
                    "InvalidParameterCombination",
                    "this cloud has rules as resources of their own only",
                );
            }
            return { id: cloud.add("groups", "sg", { vpcId, tags }), outputs: {} };
        },
        delete: ({ id }) => {
            checkUnused(cloud.account, id);
            cloud.remove("groups", id);
        },
    };
}

/** Ingress and egress rules have the same arguments. */
export function securityGroupRule(cloud: Cloud, direction: Rule["direction"]): Handler<SecurityGroupIngressRuleArgs> {
    const read = (inputs: Inputs<SecurityGroupIngressRuleArgs>): Rule => {
        const { securityGroupId, ipProtocol, tags = {} } = inputs;
        const { fromPort, toPort, cidrIpv4, referencedSecurityGroupId } = inputs;
        const range = defined({ fromPort, toPort, cidrIpv4, referencedSecurityGroupId });
        return { direction, securityGroupId, ipProtocol, ...range, tags };
    };
    return {
        replaces: ["securityGroupId"],
        create: (inputs) => {
            const rule = read(inputs);
            checkRule(cloud.account, rule);
            const id = cloud.add("rules", "sgr", rule);
            cloud.apply();
            return { id, outputs: { securityGroupRuleId: id } };
        },
        update: ({ id }, inputs) => {
            cloud.put("rules", id, read(inputs));
            cloud.apply();
            return { securityGroupRuleId: id };
        },
        delete: ({ id }) => {
            cloud.remove("rules", id);
            cloud.apply();
        },
    };
}

export function keyPair(cloud: Cloud): Handler<KeyPairArgs> {
    return {
        replaces: ["publicKey", "keyName"],
        create: ({ publicKey, tags = {} }, name) => {
            // As Pulumi names what has to have a name of its own.
            const keyName = `${name}-${Date.now().toString(16).slice(-7)}`;
            checkKeyPair(cloud.account, keyName, publicKey);
            const keyPairId = cloud.add("keyPairs", "key", { keyName, publicKey, tags });
            return { id: keyName, outputs: { keyName, keyPairId } };
        },
        delete: ({ outputs }) => {
            cloud.remove("keyPairs", outputs["keyPairId"] as string);
        },
    };
}
