import { refuses, specOf } from "./support";

const AWS = { allowedCidrs: ["203.0.113.7/32"] };
const awsSpec = (aws: object, more: object = {}) => {
    const spec = specOf({ provider: "aws", aws: { ...AWS, ...aws }, ...more });
    if (spec.aws === undefined) {
        throw new Error("no settings of AWS");
    }
    return { ...spec, aws: spec.aws };
};

test("by default there is one subnet, small machines, and nodes that download their parts", () => {
    const { aws, parts, api } = awsSpec({});
    expect(aws).toEqual({
        region: "eu-central-1",
        network: "10.240.0.0/16",
        subnets: [{ zone: "eu-central-1a", cidr: "10.240.0.0/20" }],
        allowedCidrs: ["203.0.113.7/32"],
        architecture: "amd64",
        volumeSize: 20,
        terminationProtection: false,
        loadBalancer: false,
        tags: {},
        machines: {
            "cp-1": { zone: "eu-central-1a", privateAddress: "10.240.0.11", instanceType: "t3.medium", spot: false },
            "worker-1": {
                zone: "eu-central-1a",
                privateAddress: "10.240.0.21",
                instanceType: "t3.medium",
                spot: false,
            },
            "worker-2": {
                zone: "eu-central-1a",
                privateAddress: "10.240.0.22",
                instanceType: "t3.medium",
                spot: false,
            },
        },
    });
    expect(parts.delivery).toBe("download");
    expect(api.ipAddresses).toContain("10.240.0.11");
});

test("workers take turns in the zones, each of which has a subnet of its own whatever the order", () => {
    const { aws, nodes } = awsSpec(
        { region: "us-west-2", availabilityZones: ["us-west-2c", "us-west-2a"], network: "10.9.0.0/20" },
        { workers: 3 },
    );
    expect(aws.subnets).toEqual([
        { zone: "us-west-2c", cidr: "10.9.2.0/24" },
        { zone: "us-west-2a", cidr: "10.9.0.0/24" },
    ]);
    expect(Object.entries(aws.machines).map(([name, { privateAddress }]) => `${name} ${privateAddress}`)).toEqual([
        "cp-1 10.9.2.11",
        "worker-1 10.9.2.21",
        "worker-2 10.9.0.22",
        "worker-3 10.9.2.23",
    ]);
    expect(nodes.map(({ zone }) => zone)).toEqual(["us-west-2c", "us-west-2c", "us-west-2a", "us-west-2c"]);
    expect(nodes[2]?.labels).toMatchObject({
        "topology.kubernetes.io/region": "us-west-2",
        "topology.kubernetes.io/zone": "us-west-2a",
    });
});

test("only workers are spot instances, and each role has a type of its own", () => {
    const { aws } = awsSpec(
        { spotWorkers: true, controlPlaneType: "m7i.large", workerType: "c7i.large" },
        { workers: 1 },
    );
    expect(aws.machines["cp-1"]).toMatchObject({ instanceType: "m7i.large", spot: false });
    expect(aws.machines["worker-1"]).toMatchObject({ instanceType: "c7i.large", spot: true });
});

test("a plugin has a tunnel between subnets where there are several", () => {
    const overlay = (zones: string[]) => awsSpec({ availabilityZones: zones }, { network: "cni" }).overlay;
    expect(overlay(["eu-central-1a"])).toBe("none");
    expect(overlay(["eu-central-1a", "eu-central-1b"])).toBe("subnet");
});

const wrong = (aws: object) => ({ provider: "aws", aws: { ...AWS, ...aws } });
refuses([
    [
        "no range that may reach it",
        wrong({ allowedCidrs: [] }),
        ["kubelab:aws.allowedCidrs: [] is empty; give at least one, or remove the key"],
    ],
    [
        "a region that is none",
        wrong({ region: "frankfurt" }),
        ['kubelab:aws.region: "frankfurt" is not a region of AWS; write it like eu-central-1'],
    ],
    [
        "a zone of another region",
        wrong({ availabilityZones: ["eu-central-1a", "eu-west-1a"] }),
        ['kubelab:aws.availabilityZones[1]: "eu-west-1a" is not a zone of eu-central-1; write it like eu-central-1a'],
    ],
    [
        "a zone twice",
        wrong({ availabilityZones: ["eu-central-1a", "eu-central-1a"] }),
        ['kubelab:aws.availabilityZones[1]: "eu-central-1a" is in the list twice; list each zone once'],
    ],
    [
        "a network of another size",
        wrong({ network: "10.240.0.0/24" }),
        [
            'kubelab:aws.network: "10.240.0.0/24" is not the size of a VPC that has sixteen subnets for machines; use a /16 to a /20',
        ],
    ],
    [
        "more workers than a subnet has addresses",
        { ...wrong({ network: "10.240.0.0/20" }), workers: 240, podCidr: "10.96.0.0/12" },
        [
            'kubelab:aws.network: "10.240.0.0/20" has subnets that are too small for 240 workers; use a larger one, up to a /16',
        ],
    ],
    [
        "more nodes than a route table has routes for",
        { ...wrong({ availabilityZones: ["eu-central-1a", "eu-central-1b"] }), workers: 498, podCidr: "10.96.0.0/12" },
        [
            'kubelab:aws.availabilityZones: ["eu-central-1a","eu-central-1b"] need a VPC route per node beside 2 others, and a route table holds 500; use one zone, fewer workers, or the network cni',
        ],
    ],
    [
        "no tunnel between subnets",
        { ...wrong({ availabilityZones: ["eu-central-1a", "eu-central-1b"] }), network: "cni", overlay: "none" },
        [
            'kubelab:overlay: "none" is for one subnet, and kubelab:aws.availabilityZones makes several; use "subnet" or "auto"',
        ],
    ],
    [
        "a type of another architecture",
        wrong({ workerType: "t4g.small" }),
        [
            'kubelab:aws.workerType: "t4g.small" is a machine of arm64; set kubelab:aws.architecture to arm64, or use another',
        ],
    ],
    [
        "parts of this host for machines of another architecture",
        { ...wrong({ architecture: "arm64" }), parts: { delivery: "push" } },
        [
            'kubelab:parts.delivery: "push" sends parts of this host, which are for amd64, and the machines are arm64; use "download"',
        ],
    ],
    [
        "a type that is none",
        wrong({ controlPlaneType: "medium" }),
        [
            'kubelab:aws.controlPlaneType: "medium" is not an instance type; write it like t3.medium, see https://aws.amazon.com/ec2/instance-types/',
        ],
    ],
    [
        "an AMI that is none",
        wrong({ ami: "debian" }),
        ['kubelab:aws.ami: "debian" is not an AMI; write its id like ami-0123456789abcdef0, or "latest"'],
    ],
    [
        "a tag of kubelab's own",
        wrong({ tags: { "kubelab:stack": "mine" } }),
        [
            'kubelab:aws.tags: {"kubelab:stack":"mine"} has a tag "kubelab:stack"; use other keys than "Name", "aws:…" and "kubelab:…", of 1 to 128 characters',
        ],
    ],
]);
