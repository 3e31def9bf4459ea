import { EipAssociation } from "@pulumi/aws/ec2/eipAssociation";
import type { Eip } from "@pulumi/aws/ec2/eip";
import { Instance } from "@pulumi/aws/ec2/instance";
import type { KeyPair } from "@pulumi/aws/ec2/keyPair";
import { Route } from "@pulumi/aws/ec2/route";
import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import { Component } from "../../component";
import { probeFacts } from "../../steps/facts";
import type { SshKey } from "../../steps/ssh-identity";
import type { AwsSpec, ClusterSpec, NodeSpec } from "../../cluster-spec/types";
import { type Machine, type MachineFacts, machineOutputs } from "../machine";
import { IMAGE_USER } from "./image";
import { type AwsNetwork, routesPods } from "./network";
import type { AwsSecurity } from "./security";
import type { Tags } from "./tags";
import { renderUserData } from "./user-data";

export interface AwsMachineArgs {
    readonly spec: ClusterSpec;
    readonly aws: AwsSpec;
    readonly sshKey: SshKey;
    readonly keyPair: KeyPair;
    readonly image: pulumi.Output<string>;
    readonly network: AwsNetwork;
    readonly security: AwsSecurity;
    readonly tags: Tags;
    readonly provider: pulumi.ProviderResource;
    /** The address that this machine has beside its own: the API endpoint's. */
    readonly elasticAddress?: Eip;
    /** What has to be done before this machine may be replaced. */
    readonly turn: Promise<readonly pulumi.Resource[]>;
}

/** An EC2 instance, with what is its own: a host key, an Elastic IP, a route to its pods. */
export class AwsMachine extends Component implements Machine {
    readonly name: string;
    readonly cluster: string;
    readonly role: Machine["role"];
    readonly address: pulumi.Output<string>;
    readonly privateAddress: string;
    readonly user = IMAGE_USER;
    readonly connection: Machine["connection"];
    readonly id: pulumi.Output<string>;
    readonly hostKey: pulumi.Output<string>;
    readonly vm: Instance;
    readonly facts: pulumi.Output<MachineFacts>;

    constructor(node: NodeSpec, args: AwsMachineArgs, parent: Component) {
        super("kubelab:machines:AwsMachine", parent.nameOf(node.name), { parent });
        const { spec, aws, network, provider } = args;
        const own = { parent: this, provider };
        this.name = node.name;
        this.cluster = parent.resourceName;
        this.role = node.role;

        const hostKey = new tls.PrivateKey(this.nameOf("host-key"), { algorithm: "ED25519" }, { parent: this });
        this.hostKey = hostKey.publicKeyOpenssh.apply((key) => key.trim());
        const userData = pulumi
            .all([hostKey.privateKeyOpenssh, this.hostKey])
            .apply(([key, publicKey]) =>
                renderUserData({ hostname: node.name, hostKey: key, hostPublicKey: publicKey }),
            );
        const instance = this.instance(node, userData, args);
        this.vm = instance;
        this.id = instance.id;
        this.privateAddress = aws.machines[node.name]?.privateAddress ?? "";
        this.address =
            args.elasticAddress === undefined
                ? instance.publicIp
                : new EipAssociation(
                      this.resourceName,
                      { instanceId: instance.id, allocationId: args.elasticAddress.allocationId },
                      own,
                  ).publicIp;
        if (node.podCidr !== undefined && routesPods(spec, aws)) {
            new Route(
                this.nameOf("pods"),
                {
                    routeTableId: network.routeTable.id,
                    destinationCidrBlock: node.podCidr,
                    networkInterfaceId: instance.primaryNetworkInterfaceId,
                },
                own,
            );
        }
        this.connection = {
            host: this.address,
            user: this.user,
            privateKey: args.sshKey.privateKeyOpenssh,
            hostKey: this.hostKey,
            // A new instance takes a minute until it answers.
            dialErrorLimit: 60,
            perDialTimeout: 10,
        };
        this.facts = probeFacts(this, this);
        this.registerOutputs(machineOutputs(this));
    }

    private instance(node: NodeSpec, userData: pulumi.Output<string>, args: AwsMachineArgs): Instance {
        const { aws, network, security, tags, provider } = args;
        const machine = aws.machines[node.name];
        const subnet = network.subnets[machine?.zone ?? ""];
        if (machine === undefined || subnet === undefined) {
            throw new Error(`the spec has no place for the machine ${node.name}`);
        }
        const disk = { volumeType: "gp3", volumeSize: aws.volumeSize, encrypted: true, deleteOnTermination: true };
        const spot = { marketType: "spot", spotOptions: { spotInstanceType: "one-time" } };
        const needed: Promise<pulumi.Input<pulumi.Resource>[]> = args.turn.then((turn) => [
            ...network.wayOut,
            ...security.rules,
            ...turn,
        ]);
        const isWorker = node.role === "worker";
        return new Instance(
            this.resourceName,
            {
                ami: args.image,
                instanceType: machine.instanceType,
                subnetId: subnet.id,
                privateIp: machine.privateAddress,
                associatePublicIpAddress: true,
                vpcSecurityGroupIds: [...security.groups[node.role]],
                // Pods' packets carry addresses that aren't the instance's.
                sourceDestCheck: false,
                keyName: args.keyPair.keyName,
                userData,
                userDataReplaceOnChange: true,
                // One hop: pods don't reach the metadata, and the user data in it.
                metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
                rootBlockDevice: { ...disk, tags: tags(`${node.name}-root`) },
                // https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_ChangingDisableAPITermination.html: not for spot instances.
                ...(machine.spot
                    ? { instanceMarketOptions: spot }
                    : { disableApiTermination: aws.terminationProtection, instanceInitiatedShutdownBehavior: "stop" }),
                tags: tags(node.name),
            },
            {
                parent: this,
                provider,
                dependsOn: needed,
                // Its address and its name can be had once.
                deleteBeforeReplace: true,
                // A control plane has etcd's data on its disk: it is stopped and started with another type, and never replaced for
                // another image. A worker has nothing that another one couldn't run.
                ...(isWorker
                    ? { replaceOnChanges: ["instanceType", "rootBlockDevice.volumeSize"] }
                    : { ignoreChanges: ["ami", "keyName", "userData"] }),
                additionalSecretOutputs: ["userData", "userDataBase64"],
            },
        );
    }
}
