import { parse } from "yaml";
import {
    CLOUD_FACTS,
    FIRST_AMI,
    publicAddress,
    type Registration,
    type Run,
    type RunOptions,
} from "../../support/mocks";
import { clusterGraph, fileOf, find, inputsOf, remoteSteps, requestIn, script } from "../../support/graph";
import { isSecret, unwrap, withoutSecrets } from "../../support/secrets";
import { testSpec } from "../../support/spec";

jest.setTimeout(60_000);

const ALLOWED = ["203.0.113.7/32", "198.51.100.0/24"];
const INSTANCE = "aws:ec2/instance:Instance";
const TWO_ZONES = { availabilityZones: ["eu-central-1a", "eu-central-1b"] };

type Settings = RunOptions & {
    readonly running?: readonly string[];
    readonly config?: Readonly<Record<string, string>>;
};

function cloud(aws: object = {}, more: object = {}, options: Settings = {}): Promise<Run> {
    return clusterGraph(testSpec({ provider: "aws", aws: { allowedCidrs: ALLOWED, ...aws }, ...more }), options);
}

const inputs = (graph: Run, type: string, name: string): Readonly<Record<string, unknown>> =>
    unwrap(find(graph, type, name).inputs) as Readonly<Record<string, unknown>>;
const ofType = (graph: Run, type: string): Registration[] => graph.resources.filter((each) => each.type === type);
const onAws = (graph: Run): Registration[] =>
    graph.resources.filter(({ type, custom }) => custom && type.startsWith("aws:"));

let graph: Run;
let twoZones: Run;
beforeAll(async () => {
    graph = await cloud();
    twoZones = await cloud(TWO_ZONES);
});

describe("what is made", () => {
    test("is a VPC with a subnet, a way out, and what each machine has of its own", () => {
        const count = new Map<string, number>();
        onAws(graph).forEach(({ type }) => count.set(type, (count.get(type) ?? 0) + 1));
        expect(Object.fromEntries(count)).toEqual({
            "aws:ec2/vpc:Vpc": 1,
            "aws:ec2/internetGateway:InternetGateway": 1,
            "aws:ec2/routeTable:RouteTable": 1,
            "aws:ec2/route:Route": 1,
            "aws:ec2/subnet:Subnet": 1,
            "aws:ec2/routeTableAssociation:RouteTableAssociation": 1,
            "aws:ec2/securityGroup:SecurityGroup": 2,
            "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": 6,
            "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": 1,
            "aws:ec2/keyPair:KeyPair": 1,
            "aws:ec2/eip:Eip": 1,
            "aws:ec2/eipAssociation:EipAssociation": 1,
            [INSTANCE]: 3,
        });
    });

    test("has a subnet per zone, all on one route table", () => {
        expect(ofType(twoZones, "aws:ec2/subnet:Subnet").map((each) => unwrap(each.inputs))).toMatchObject([
            { availabilityZone: "eu-central-1a", cidrBlock: "10.240.0.0/20" },
            { availabilityZone: "eu-central-1b", cidrBlock: "10.240.16.0/20" },
        ]);
        const associations = ofType(twoZones, "aws:ec2/routeTableAssociation:RouteTableAssociation");
        expect(associations.map((each) => each.inputs["routeTableId"])).toEqual(["test-id", "test-id"]);
    });

    test("is in the configured region, by one provider for all of it, with the profile that is asked for", async () => {
        const other = await cloud({ region: "ap-southeast-2", profile: "play" });
        expect(inputs(other, "pulumi:providers:aws", "aws")).toMatchObject({
            region: "ap-southeast-2",
            profile: "play",
        });
        const { urn } = find(other, "pulumi:providers:aws", "aws");
        expect(onAws(other).filter(({ provider }) => !provider.startsWith(urn))).toEqual([]);
    });

    test("carries the stack's tag, the lab's name and the user's own tags wherever AWS has tags", async () => {
        const tagged = await cloud({ ...TWO_ZONES, tags: { owner: "me" } });
        const untaggable = /:(Route|RouteTableAssociation|EipAssociation)$/;
        const resources = onAws(tagged).filter(({ type }) => !untaggable.test(type));
        expect(resources.length).toBeGreaterThan(15);
        for (const resource of resources) {
            const { tags } = unwrap(resource.inputs) as { tags?: Record<string, string> };
            expect({ name: resource.name, tags }).toMatchObject({
                name: resource.name,
                tags: {
                    Name: expect.stringMatching(/^test-/) as string,
                    "kubelab:stack": "test",
                    "kubelab:lab": "test",
                    owner: "me",
                },
            });
        }
        for (const { name } of ofType(tagged, INSTANCE)) {
            const { rootBlockDevice } = inputs(tagged, INSTANCE, name) as { rootBlockDevice: { tags: object } };
            expect(rootBlockDevice.tags).toMatchObject({ "kubelab:stack": "test", owner: "me" });
        }
    });

    test("shows in a preview on an account that has nothing yet: every resource, most of it unknown", async () => {
        const urns = ({ resources }: Run): string[] => resources.map(({ urn }) => urn).sort();
        expect(urns(await cloud(TWO_ZONES, {}, { preview: true }))).toEqual(urns(twoZones));
    });
});

describe("several control planes", () => {
    const LB = "aws:lb/";
    let three: Run;
    beforeAll(async () => {
        three = await cloud(TWO_ZONES, { controlPlanes: 3 });
    });

    test("are behind a load balancer in all zones, whose connections are its own", () => {
        expect(inputs(three, `${LB}loadBalancer:LoadBalancer`, "api-load-balancer")).toMatchObject({
            loadBalancerType: "network",
            internal: false,
            subnets: ["eu-central-1a-id", "eu-central-1b-id"],
            securityGroups: ["api-load-balancer-id"],
            enableCrossZoneLoadBalancing: true,
        });
        expect(inputs(three, `${LB}targetGroup:TargetGroup`, "api-load-balancer")).toMatchObject({
            targetType: "ip",
            protocol: "TCP",
            port: 6443,
            preserveClientIp: "false",
            healthCheck: { protocol: "HTTPS", path: "/readyz", port: "traffic-port" },
        });
        expect(inputs(three, `${LB}listener:Listener`, "api-load-balancer")).toMatchObject({
            loadBalancerArn: "arn-of-api-load-balancer",
            protocol: "TCP",
            port: 6443,
            defaultActions: [{ type: "forward", targetGroupArn: "arn-of-api-load-balancer" }],
        });
        const targets = ofType(three, `${LB}targetGroupAttachment:TargetGroupAttachment`);
        expect(targets.map(({ inputs: { targetId, port } }) => [targetId, port])).toEqual([
            ["10.240.0.11", 6443],
            ["10.240.16.12", 6443],
            ["10.240.0.13", 6443],
        ]);
    });

    test("let the load balancer in, and the load balancer the allowed ranges", () => {
        const rules = ofType(three, "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
            .map(({ inputs: rule }) => rule as Record<string, string>)
            .map((rule) => `${rule["securityGroupId"]} ${rule["cidrIpv4"] ?? rule["referencedSecurityGroupId"]}`);
        for (const range of ALLOWED) {
            expect(rules).toContain(`api-load-balancer-id ${range}`);
        }
        expect(rules).toContain("control-planes-id api-load-balancer-id");
        expect(
            inputs(
                three,
                "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
                "api-load-balancer-to-control-planes",
            ),
        ).toMatchObject({ referencedSecurityGroupId: "control-planes-id", fromPort: 6443, toPort: 6443 });
    });

    test("are called by the load balancer's name, and are known by the name in every certificate", () => {
        const { kubeconfig, apiServer } = unwrap(three.outputs) as Record<string, string>;
        expect(apiServer).toBe("https://api-1234.elb.eu-central-1.amazonaws.com:6443");
        expect(parse(kubeconfig ?? "")).toMatchObject({
            clusters: [{ cluster: { server: apiServer, "tls-server-name": "api.test" } }],
        });
    });

    test("need no address that moves: workers have haproxy, and steps ask the API server of their machine", () => {
        const names = remoteSteps(three).map(({ name }) => name);
        expect(names).toContain("worker-1-kube-apiserver-haproxy");
        expect(names.filter((name) => name.includes("keepalived"))).toEqual([]);
        expect(fileOf(three, "cp-1-super-admin", "/etc/kubernetes/super-admin.conf")).toContain(
            "server: https://127.0.0.1:6443",
        );
    });
});

describe("security groups", () => {
    test("let in SSH and the API from the allowed ranges, everything between machines and from pods, and nothing else", () => {
        const rules = ofType(graph, "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule").map(
            ({ inputs: rule }) => {
                const { securityGroupId, ipProtocol, fromPort, toPort, cidrIpv4, referencedSecurityGroupId } =
                    rule as Record<string, string>;
                return [securityGroupId, ipProtocol, fromPort, toPort, cidrIpv4 ?? referencedSecurityGroupId]
                    .join(" ")
                    .replace(/ +/g, " ");
            },
        );
        expect(rules.sort()).toEqual(
            [
                ...ALLOWED.map((range) => `nodes-id tcp 22 22 ${range}`),
                ...ALLOWED.map((range) => `control-planes-id tcp 6443 6443 ${range}`),
                "nodes-id -1 nodes-id",
                "nodes-id -1 10.99.0.0/16",
            ].sort(),
        );
        expect(
            inputs(graph, "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", "nodes-to-everywhere"),
        ).toMatchObject({
            securityGroupId: "nodes-id",
            ipProtocol: "-1",
            cidrIpv4: "0.0.0.0/0",
        });
    });

    test("have no rules of their own beside these: inline rules and separate ones undo each other", () => {
        for (const group of ofType(graph, "aws:ec2/securityGroup:SecurityGroup")) {
            expect(Object.keys(group.inputs)).toEqual(expect.not.arrayContaining(["ingress", "egress"]));
        }
    });

    test("are on the machines by role: only control planes have the API's", () => {
        expect(inputs(graph, INSTANCE, "cp-1")["vpcSecurityGroupIds"]).toEqual(["nodes-id", "control-planes-id"]);
        expect(inputs(graph, INSTANCE, "worker-1")["vpcSecurityGroupIds"]).toEqual(["nodes-id"]);
    });
});

describe("an instance", () => {
    test("has an encrypted gp3 root, metadata by token and one hop only, no source check, its own address", () => {
        expect(inputs(graph, INSTANCE, "worker-2")).toMatchObject({
            ami: FIRST_AMI,
            instanceType: "t3.medium",
            privateIp: "10.240.0.22",
            subnetId: "eu-central-1a-id",
            associatePublicIpAddress: true,
            sourceDestCheck: false,
            keyName: "test-key-name",
            metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
            rootBlockDevice: { volumeType: "gp3", volumeSize: 20, encrypted: true, deleteOnTermination: true },
            disableApiTermination: false,
        });
    });

    test("is protected and a spot instance where the config says so, and then only as a worker", async () => {
        const other = await cloud({ spotWorkers: true, volumeSize: 50 });
        const kept = await cloud({ spotWorkers: true, terminationProtection: true });
        expect(inputs(kept, INSTANCE, "cp-1")).toMatchObject({ disableApiTermination: true });
        // AWS protects no spot instance.
        expect(inputs(kept, INSTANCE, "worker-1")).not.toHaveProperty("disableApiTermination");
        const spot = { marketType: "spot" };
        expect(inputs(other, INSTANCE, "worker-1")).toMatchObject({ instanceMarketOptions: spot });
        expect(inputs(other, INSTANCE, "worker-1")["rootBlockDevice"]).toMatchObject({ volumeSize: 50 });
        expect(inputs(other, INSTANCE, "cp-1")).not.toHaveProperty("instanceMarketOptions");
        expect(inputs(graph, INSTANCE, "worker-1")).not.toHaveProperty("instanceMarketOptions");
    });

    test("has in its user data its name and its host key, and the key is the only secret of all there", () => {
        for (const { name } of ofType(graph, INSTANCE)) {
            const resource = find(graph, INSTANCE, name);
            expect(isSecret(resource.inputs["userData"])).toBe(true);
            expect(resource.additionalSecretOutputs).toEqual(expect.arrayContaining(["userData", "userDataBase64"]));
            const text = String(unwrap(resource.inputs["userData"]));
            expect(text).toMatch(/^#cloud-config\n/);
            const settings = parse(text) as { hostname: string; ssh_keys: Record<string, string> };
            expect(settings.hostname).toBe(name);
            const key = find(graph, "tls:index/privateKey:PrivateKey", `${name}-host-key`);
            expect(key.inputs["algorithm"]).toBe("ED25519");
            const secrets = graph.secrets.filter((secret) => text.includes(secret.split("\n")[1] ?? secret));
            expect(secrets).toEqual([settings.ssh_keys["ed25519_private"]]);
            expect(
                inputsOf(remoteSteps(graph).find((step) => step.name === `${name}-ready`) as Registration).connection[
                    "hostKey"
                ],
            ).toBe(settings.ssh_keys["ed25519_public"]);
        }
    });

    test("comes when the way out and every rule is there", () => {
        const needed = [
            ...ofType(graph, "aws:ec2/route:Route"),
            ...ofType(graph, "aws:ec2/routeTableAssociation:RouteTableAssociation"),
            ...onAws(graph).filter(({ type }) => /Rule$/.test(type)),
        ];
        for (const { dependencies } of ofType(graph, INSTANCE)) {
            expect(dependencies).toEqual(expect.arrayContaining(needed.map(({ urn }) => urn)));
        }
    });

    test("is reached as admin, with sudo, at an address of the outside, and known by its name", () => {
        for (const step of remoteSteps(graph)) {
            expect(inputsOf(step).create).toMatch(/^sudo -n bash -s -- create/);
            expect(inputsOf(step).connection["user"]).toBe("admin");
        }
        const { sshCommands } = graph.outputs as { sshCommands: Record<string, string> };
        expect(sshCommands["worker-1"]).toMatch(
            new RegExp(`HostKeyAlias=worker-1 admin@${publicAddress("worker-1")}$`),
        );
    });

    test("tells by itself what it is like", () => {
        const yaml = parse(fileOf(graph, "worker-1-kubelet", "/etc/kubernetes/kubelet/kubelet.yaml")) as object;
        const { cgroupDriver, failCgroupV1, failSwapOn } = CLOUD_FACTS;
        expect(yaml).toMatchObject({ cgroupDriver, failCgroupV1, failSwapOn });
        const config = fileOf(graph, "worker-1-containerd", "/etc/containerd/config.toml");
        expect(config).toContain("SystemdCgroup = true");
        expect(config).toContain("restrict_oom_score_adj = false");
    });
});

describe("the API endpoint", () => {
    test("is an Elastic IP of the first control plane, which is in the certificate; machines use the private address", () => {
        const address = publicAddress("api");
        expect(graph.outputs["apiServer"]).toBe(`https://${address}:6443`);
        expect(inputs(graph, "aws:ec2/eipAssociation:EipAssociation", "cp-1")).toMatchObject({ instanceId: "cp-1-id" });
        expect(requestIn(graph, "cp-1", "kube-apiserver").ipAddresses).toEqual([
            ...["127.0.0.1", "10.32.0.1", "10.240.0.11", address],
        ]);
        expect(script(graph, "worker-1-ready")).toMatch(
            /kubelab [0-9a-f]{64} <<'LINES'\n10\.240\.0\.11 api\.test\nLINES/,
        );
        expect(script(graph, "worker-1-ready")).not.toContain(address);
    });
});

describe("routes to pods", () => {
    const table = (run: Run, node: string): string => fileOf(run, `${node}-kubenet`, "/usr/local/lib/kubelab/kubenet");

    test("are the machines' own in one subnet, and the VPC has none", () => {
        expect(table(graph, "worker-1")).toContain("route 10.99.2.0/24 10.240.0.22 # worker-2");
        expect(ofType(graph, "aws:ec2/route:Route").map(({ name }) => name)).toEqual(["internet"]);
    });

    test("are the VPC's across subnets, one per node to its network interface, and the machines' own within", () => {
        expect(table(twoZones, "worker-1")).toContain("route 10.99.255.0/24 10.240.0.11 # cp-1");
        expect(table(twoZones, "worker-1")).not.toMatch(/route 10\.99\.2\.0/);
        const routes = ofType(twoZones, "aws:ec2/route:Route").map(({ inputs: route }) => route);
        expect(routes).toEqual(
            expect.arrayContaining(
                ["cp-1 10.99.255.0/24", "worker-1 10.99.1.0/24", "worker-2 10.99.2.0/24"].map((line) => {
                    const [node = "", destinationCidrBlock] = line.split(" ");
                    return { routeTableId: "test-id", destinationCidrBlock, networkInterfaceId: `eni-of-${node}` };
                }),
            ),
        );
        expect(routes).toHaveLength(4);
    });
});

describe("change", () => {
    test("of the image: the one found first stays, until another is asked for", async () => {
        const later = await cloud({}, {}, { newestAmi: "ami-0000000000000bbbb" });
        expect(find(later, "pulumi:index:Stash", "ami").ignoreChanges).toEqual(["input"]);
        for (const ami of ["latest", "ami-0123456789abcdef0"]) {
            const asked = await cloud({ ami }, {}, { newestAmi: "ami-0000000000000bbbb" });
            const kept = find(asked, "pulumi:index:Stash", "ami");
            expect({ ignore: kept.ignoreChanges, replace: kept.replaceOnChanges }).toEqual({
                ignore: [],
                replace: ["input"],
            });
            expect(kept.inputs["input"]).toBe(ami === "latest" ? "ami-0000000000000bbbb" : ami);
        }
    });

    test("replaces a worker, whose address and name its successor needs, and never a control plane, which has etcd's data", () => {
        const [controlPlane, worker] = ["cp-1", "worker-1"].map((name) => find(graph, INSTANCE, name));
        expect(worker).toMatchObject({ deleteBeforeReplace: true, ignoreChanges: [] });
        expect(worker?.replaceOnChanges).toContain("instanceType");
        expect(controlPlane).toMatchObject({ ignoreChanges: ["ami", "keyName", "userData"], replaceOnChanges: [] });
    });

    test("goes through a running cluster one machine at a time: each waits for the node before it", async () => {
        const running = await cloud({}, { workers: 3 }, { running: ["cp-1", "worker-1", "worker-2"] });
        const waitsFor = (name: string): string[] =>
            running.resources
                .filter(
                    ({ urn, name: other }) =>
                        other.endsWith("-node") && find(running, INSTANCE, name).dependencies.includes(urn),
                )
                .map(({ name: other }) => other);
        expect(waitsFor("cp-1")).toEqual([]);
        expect(waitsFor("worker-1")).toEqual(["cp-1-node"]);
        expect(waitsFor("worker-2")).toEqual(["worker-1-node"]);
        // A new one needn't wait for anybody.
        expect(waitsFor("worker-3")).toEqual([]);
    });

    test("doesn't wait for nodes that aren't made members, since the bring-up stops before", async () => {
        const stopped = await cloud({}, { stopAfter: "machines" }, { running: ["cp-1", "worker-1", "worker-2"] });
        expect(ofType(stopped, INSTANCE)).toHaveLength(3);
    });

    test("takes nothing over SSH from a machine that goes: all its steps go with the instance", () => {
        const instances = new Map(ofType(graph, INSTANCE).map(({ urn, name }) => [name, urn]));
        const steps = remoteSteps(graph);
        expect(steps.length).toBeGreaterThan(20);
        expect(steps.filter(({ deletedWith }) => ![...instances.values()].includes(deletedWith))).toEqual([]);
    });
});

describe("parts", () => {
    const PARTS = "worker-1-node-parts";

    test("are downloaded by every machine itself, with the checksums that were looked up here", () => {
        const text = script(graph, PARTS);
        expect(text).toMatch(/[0-9a-f]{64} bin\/kubelet [0-9a-f]{64} - https:\/\/upstream\.example\/bin\/kubelet$/m);
        expect(ofType(graph, "command:local:Command").map(({ name }) => name)).not.toContain(PARTS);
        const { stdin } = inputsOf(find(graph, "command:local:Command", "parts-sources"));
        expect(JSON.parse(stdin)).toMatchObject({ architecture: "amd64", versions: { kubernetes: "1.36.3" } });
    });

    test("are pushed from here to every machine, where the config says so", async () => {
        const pushed = await cloud({}, { parts: { delivery: "push" } });
        expect(inputsOf(find(pushed, "command:local:Command", PARTS)).stdin).toContain(
            `-o HostKeyAlias=worker-1 admin@`,
        );
    });

    test("are pushed to the first control plane alone, which has them for the workers", async () => {
        const relayed = await cloud({}, { parts: { delivery: "relay" } });
        const pushes = ofType(relayed, "command:local:Command").filter(({ name }) => name.endsWith("-parts"));
        expect(pushes.map(({ name }) => name)).toEqual(["cp-1-relay-parts"]);
        expect(script(relayed, PARTS)).toMatch(
            / bin\/kubelet [0-9a-f]{64} - http:\/\/10\.240\.0\.11:10288\/[0-9a-f]{64}\/kubelet$/m,
        );
        const { dependencies } = remoteSteps(relayed).find(({ name }) => name === PARTS) as Registration;
        expect(dependencies).toContain(remoteSteps(relayed).find(({ name }) => name === "cp-1-relay")?.urn);
    });
});

test("no secret is in the clear in what the engine keeps", () => {
    expect(graph.secrets.length).toBeGreaterThan(15);
    const state = JSON.stringify(graph.resources.map((resource) => withoutSecrets(resource.inputs)));
    for (const secret of graph.secrets) {
        expect(state).not.toContain(secret.split("\n")[1] ?? secret);
    }
});
