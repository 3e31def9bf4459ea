import { SecurityGroup } from "@pulumi/aws/ec2/securityGroup";
import { Listener } from "@pulumi/aws/lb/listener";
import { LoadBalancer } from "@pulumi/aws/lb/loadBalancer";
import { TargetGroup } from "@pulumi/aws/lb/targetGroup";
import { TargetGroupAttachment } from "@pulumi/aws/lb/targetGroupAttachment";
import { SecurityGroupEgressRule } from "@pulumi/aws/vpc/securityGroupEgressRule";
import { SecurityGroupIngressRule } from "@pulumi/aws/vpc/securityGroupIngressRule";
import * as pulumi from "@pulumi/pulumi";
import { Component } from "../../component";
import type { AwsSpec, ClusterSpec } from "../../cluster-spec/types";
import type { Machine } from "../machine";
import type { AwsNetwork } from "./network";
import type { AwsSecurity } from "./security";
import type { Tags } from "./tags";

/** AWS makes the rest of a name: a lab's own may be longer than what is left of 32 characters. */
const NAME_PREFIX = "api-";

export interface ApiLoadBalancerArgs {
    readonly spec: ClusterSpec;
    readonly aws: AwsSpec;
    readonly network: AwsNetwork;
    readonly security: AwsSecurity;
    readonly machines: readonly Machine[];
    readonly tags: Tags;
    readonly provider: pulumi.ProviderResource;
}

/**
 * The API endpoint of several control planes: a network load balancer in all zones of the cluster. Its targets are addresses, and it
 * speaks to them with its own: a control plane's connection by way of the load balancer may come back to itself, which it can't while
 * the client's address is preserved.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-troubleshooting.html#loopback-timeout
 *
 * Who may connect is decided by its security group, since the control planes see only the load balancer's own addresses:
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-security-groups.html
 */
export class ApiLoadBalancer extends Component {
    /** The DNS name, which AWS chooses. */
    readonly host: pulumi.Output<string>;

    constructor(args: ApiLoadBalancerArgs, parent: Component) {
        super("kubelab:machines:ApiLoadBalancer", parent.nameOf("api-load-balancer"), { parent });
        const { spec, network, machines, tags, provider } = args;
        const { port } = spec.api;
        const own = { parent: this, provider };
        const { group, rules } = this.security(args);

        const balancer = new LoadBalancer(
            this.resourceName,
            {
                namePrefix: NAME_PREFIX,
                loadBalancerType: "network",
                internal: false,
                subnets: Object.values(network.subnets).map(({ id }) => id),
                securityGroups: [group.id],
                // Each of its addresses leads to every control plane: a zone without a healthy one serves on.
                enableCrossZoneLoadBalancing: true,
                tags: tags("api"),
            },
            { ...own, dependsOn: [...network.wayOut, ...rules] },
        );
        const targets = new TargetGroup(
            this.resourceName,
            {
                namePrefix: NAME_PREFIX,
                vpcId: network.vpc.id,
                targetType: "ip",
                protocol: "TCP",
                port,
                preserveClientIp: "false",
                // Seconds for what a control plane that leaves still answers; then its connections end, and clients ask another one.
                deregistrationDelay: 10,
                connectionTermination: true,
                healthCheck: {
                    protocol: "HTTPS",
                    path: "/readyz",
                    port: "traffic-port",
                    matcher: "200",
                    interval: 5,
                    timeout: 3,
                    healthyThreshold: 2,
                    unhealthyThreshold: 2,
                },
                tags: tags("api"),
            },
            own,
        );
        new Listener(
            this.resourceName,
            {
                loadBalancerArn: balancer.arn,
                protocol: "TCP",
                port,
                defaultActions: [{ type: "forward", targetGroupArn: targets.arn }],
                tags: tags("api"),
            },
            own,
        );
        for (const { name, privateAddress, vm } of machines.filter(({ role }) => role === "control-plane")) {
            new TargetGroupAttachment(
                this.nameOf(name),
                { targetGroupArn: targets.arn, targetId: privateAddress, port },
                // It goes before the instance does.
                { ...own, dependsOn: vm === undefined ? [] : [vm], deleteBeforeReplace: true },
            );
        }
        this.host = balancer.dnsName;
        this.registerOutputs({ host: this.host });
    }

    /** From the configured ranges to the load balancer, and from there to the control planes. */
    private security({ spec, aws, network, security, tags, provider }: ApiLoadBalancerArgs): {
        readonly group: SecurityGroup;
        readonly rules: readonly pulumi.Resource[];
    } {
        const own = { parent: this, provider };
        const { port } = spec.api;
        const tcp = { ipProtocol: "tcp", fromPort: port, toPort: port };
        const description = "Load balancer of the API";
        const group = new SecurityGroup(
            this.resourceName,
            { vpcId: network.vpc.id, description, tags: tags("api-load-balancer") },
            own,
        );
        const { controlPlanes } = security;
        const rules = [
            ...aws.allowedCidrs.map(
                (cidrIpv4) =>
                    new SecurityGroupIngressRule(
                        this.nameOf(`from-${cidrIpv4}`),
                        { securityGroupId: group.id, ...tcp, cidrIpv4, description: "API server", tags: tags("api") },
                        own,
                    ),
            ),
            new SecurityGroupEgressRule(
                this.nameOf("to-control-planes"),
                {
                    securityGroupId: group.id,
                    ...tcp,
                    referencedSecurityGroupId: controlPlanes,
                    description: "API servers and their health",
                    tags: tags("api"),
                },
                own,
            ),
            new SecurityGroupIngressRule(
                this.nameOf("into-control-planes"),
                {
                    securityGroupId: controlPlanes,
                    ...tcp,
                    referencedSecurityGroupId: group.id,
                    description,
                    tags: tags("api"),
                },
                own,
            ),
        ];
        return { group, rules };
    }
}
