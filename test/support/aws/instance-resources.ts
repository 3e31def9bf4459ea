import type { EipArgs } from "@pulumi/aws/ec2/eip";
import type { EipAssociationArgs } from "@pulumi/aws/ec2/eipAssociation";
import type { InstanceArgs } from "@pulumi/aws/ec2/instance";
import type { Cloud } from "./cloud";
import { type Handler, type Inputs, needed } from "./handler";
import { ApiError, rowOf } from "./model";
import { checkInstance, checkType, checkUnused, freeAddress, type LaunchRequest } from "./requests";

export function elasticAddress(cloud: Cloud): Handler<EipArgs> {
    return {
        replaces: ["domain"],
        create: ({ tags = {} }) => {
            const publicIp = freeAddress(cloud.account, cloud.settings.uplink.publicAddresses);
            const id = cloud.add("addresses", "eipalloc", { publicIp, tags });
            return { id, outputs: { publicIp, allocationId: id } };
        },
        delete: ({ id }) => {
            const { instanceId } = rowOf(cloud.account.addresses, id, "InvalidAllocationID.NotFound");
            if (instanceId !== undefined) {
                throw new ApiError("InvalidIPAddress.InUse", `Address is associated with ${instanceId}`);
            }
            cloud.remove("addresses", id);
        },
    };
}

export function elasticAddressAssociation(cloud: Cloud): Handler<EipAssociationArgs> {
    const release = (associationId: string): void => {
        const found = Object.entries(cloud.account.addresses).find(([, each]) => each.associationId === associationId);
        if (found !== undefined) {
            const [id, { publicIp, tags }] = found;
            cloud.put("addresses", id, { publicIp, tags });
        }
    };
    return {
        replaces: ["allocationId", "instanceId"],
        create: ({ allocationId, instanceId: of }) => {
            const id = needed(allocationId, "AllocationId");
            const instanceId = needed(of, "InstanceId");
            const { publicIp, tags } = rowOf(cloud.account.addresses, id, "InvalidAllocationID.NotFound");
            const { publicIp: own, ...instance } = cloud.instance(instanceId);
            // https://docs.aws.amazon.com/vpc/latest/userguide/vpc-eips.html: it takes the place of the instance's own address.
            void own;
            cloud.put("instances", instanceId, instance);
            const associationId = `eipassoc-${id.slice("eipalloc-".length)}`;
            cloud.put("addresses", id, { publicIp, tags, associationId, instanceId });
            cloud.apply();
            return { id: associationId, outputs: { publicIp } };
        },
        delete: ({ id }) => {
            release(id);
            cloud.apply();
        },
    };
}

function readLaunch(inputs: Inputs<InstanceArgs>): LaunchRequest {
    return {
        ami: needed(inputs.ami, "ImageId"),
        instanceType: needed<string>(inputs.instanceType, "InstanceType"),
        subnetId: needed(inputs.subnetId, "SubnetId"),
        privateIp: needed(inputs.privateIp, "PrivateIpAddress"),
        groups: needed(inputs.vpcSecurityGroupIds, "SecurityGroupId"),
        sourceDestCheck: inputs.sourceDestCheck ?? true,
        keyName: needed(inputs.keyName, "KeyName"),
        userData: inputs.userData ?? "",
        disableApiTermination: inputs.disableApiTermination ?? false,
        spot: inputs.instanceMarketOptions?.marketType === "spot",
        tags: inputs.tags ?? {},
        httpTokens: inputs.metadataOptions?.httpTokens ?? "required",
        volumeType: inputs.rootBlockDevice?.volumeType ?? "gp3",
    };
}

export function instance(cloud: Cloud): Handler<InstanceArgs> {
    return {
        replaces: [
            "ami",
            "subnetId",
            "privateIp",
            "keyName",
            "userData",
            "instanceMarketOptions",
            "associatePublicIpAddress",
        ],
        create: async (inputs, _name, log) => {
            const { httpTokens, volumeType, ...row } = readLaunch(inputs);
            const made = await cloud.exclusively(() => {
                checkInstance(cloud.account, { ...row, httpTokens, volumeType });
                const networkInterfaceId = cloud.add("instances", "eni", { ...row, networkInterfaceId: "" });
                cloud.remove("instances", networkInterfaceId);
                const publicIp = freeAddress(cloud.account, cloud.settings.uplink.publicAddresses);
                const id = cloud.add("instances", "i", { ...row, networkInterfaceId, publicIp });
                cloud.apply();
                const outputs = { publicIp, primaryNetworkInterfaceId: networkInterfaceId, instanceState: "running" };
                return { id, outputs };
            });
            await cloud.boot(made.id, log);
            return made;
        },
        update: async ({ id, outputs }, inputs) => {
            const before = cloud.instance(id);
            const { httpTokens, volumeType, ...wanted } = readLaunch(inputs);
            void [httpTokens, volumeType];
            const { networkInterfaceId, publicIp } = before;
            cloud.put("instances", id, { ...wanted, networkInterfaceId, ...(publicIp ? { publicIp } : {}) });
            if (before.instanceType !== wanted.instanceType) {
                const { architecture } = rowOf(cloud.account.images, wanted.ami, "InvalidAMIID.NotFound");
                checkType(architecture, wanted.instanceType);
                await cloud.stopAndStart(id);
            }
            cloud.apply();
            return { ...outputs, ...(publicIp ? { publicIp: cloud.instance(id).publicIp ?? publicIp } : {}) };
        },
        delete: async ({ id }) => {
            if (cloud.instance(id).disableApiTermination) {
                // https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_ChangingDisableAPITermination.html
                throw new ApiError(
                    "OperationNotPermitted",
                    `The instance '${id}' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.`,
                );
            }
            checkUnused(cloud.account, id);
            await cloud.terminate(id);
            await cloud.exclusively(() => {
                cloud.remove("instances", id);
                cloud.apply();
            });
        },
    };
}
