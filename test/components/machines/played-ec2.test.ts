import { type Account, EMPTY, FIRST_IMAGE, type Rule } from "../../support/aws/model";
import {
    checkInstance,
    checkKeyPair,
    checkRoute,
    checkRule,
    checkSubnet,
    checkUnused,
    checkVpc,
    freeAddress,
    type LaunchRequest,
} from "../../support/aws/requests";

const ACCOUNT: Account = {
    ...EMPTY,
    vpcs: { vpc: { cidrBlock: "10.0.0.0/16", tags: {} } },
    subnets: { subnet: { vpcId: "vpc", cidrBlock: "10.0.0.0/20", availabilityZone: "eu-central-1a", tags: {} } },
    gateways: { igw: { vpcId: "vpc", tags: {} } },
    routeTables: { rtb: { vpcId: "vpc", tags: {} } },
    groups: { sg: { vpcId: "vpc", tags: {} } },
    keyPairs: { key: { keyName: "me", publicKey: "ssh-ed25519 AAAA", tags: {} } },
    addresses: { eip: { publicIp: "198.51.100.1", associationId: "a", instanceId: "i", tags: {} } },
};

const LAUNCH: LaunchRequest = {
    ami: FIRST_IMAGE,
    instanceType: "t3.medium",
    subnetId: "subnet",
    privateIp: "10.0.0.11",
    groups: ["sg"],
    sourceDestCheck: false,
    keyName: "me",
    userData: "#cloud-config\n",
    disableApiTermination: false,
    spot: false,
    tags: {},
    httpTokens: "required",
    volumeType: "gp3",
};
const RULE: Rule = {
    direction: "ingress",
    securityGroupId: "sg",
    ipProtocol: "tcp",
    fromPort: 22,
    toPort: 22,
    cidrIpv4: "192.0.2.0/24",
    tags: {},
};
const without = (rule: Rule, key: keyof Rule): Rule => {
    const { [key]: left, ...rest } = rule;
    void left;
    return rest as Rule;
};

/** The request, and the code that EC2 answers it with. */
const REJECTED: readonly (readonly [string, () => void, string])[] = [
    ["a VPC larger than a /16", () => checkVpc(EMPTY, "10.0.0.0/8"), "InvalidVpc.Range"],
    ["a VPC that isn't a range", () => checkVpc(EMPTY, "10.0.0.1/16"), "InvalidParameterValue"],
    [
        "a subnet outside its VPC",
        () => checkSubnet(ACCOUNT, "vpc", "10.1.0.0/20", "eu-central-1a"),
        "InvalidSubnet.Range",
    ],
    [
        "a subnet over another",
        () => checkSubnet(ACCOUNT, "vpc", "10.0.8.0/24", "eu-central-1a"),
        "InvalidSubnet.Conflict",
    ],
    [
        "a subnet in a region",
        () => checkSubnet(ACCOUNT, "vpc", "10.0.16.0/20", "eu-central-1"),
        "InvalidParameterValue",
    ],
    [
        "a subnet of no VPC",
        () => checkSubnet(ACCOUNT, "other", "10.0.16.0/20", "eu-central-1a"),
        "InvalidVpcID.NotFound",
    ],
    ["a rule with a wrong protocol", () => checkRule(ACCOUNT, { ...RULE, ipProtocol: "ssh" }), "InvalidParameterValue"],
    ["a TCP rule without ports", () => checkRule(ACCOUNT, without(RULE, "toPort")), "InvalidParameterValue"],
    [
        "a rule with its ports the wrong way round",
        () => checkRule(ACCOUNT, { ...RULE, fromPort: 23 }),
        "InvalidParameterValue",
    ],
    ["a rule for nobody", () => checkRule(ACCOUNT, without(RULE, "cidrIpv4")), "InvalidParameterCombination"],
    ["a rule with host bits", () => checkRule(ACCOUNT, { ...RULE, cidrIpv4: "192.0.2.1/24" }), "InvalidParameterValue"],
    ["a rule of no group", () => checkRule(ACCOUNT, { ...RULE, securityGroupId: "none" }), "InvalidGroup.NotFound"],
    ["a rule that is there", () => checkRule({ ...ACCOUNT, rules: { r: RULE } }, RULE), "InvalidPermission.Duplicate"],
    [
        "a route within the VPC",
        () => checkRoute(ACCOUNT, { routeTableId: "rtb", destinationCidrBlock: "10.0.1.0/24", gatewayId: "igw" }),
        "InvalidParameterValue",
    ],
    [
        "a route to nowhere",
        () =>
            checkRoute(ACCOUNT, {
                routeTableId: "rtb",
                destinationCidrBlock: "10.99.1.0/24",
                networkInterfaceId: "eni",
            }),
        "InvalidNetworkInterfaceID.NotFound",
    ],
    [
        "a route that is there",
        () => {
            const route = { routeTableId: "rtb", destinationCidrBlock: "0.0.0.0/0", gatewayId: "igw" };
            checkRoute({ ...ACCOUNT, routes: { r: route } }, route);
        },
        "RouteAlreadyExists",
    ],
    ["a key of another kind", () => checkKeyPair(ACCOUNT, "k", "ecdsa-sha2-nistp256 AAAA"), "InvalidKey.Format"],
    [
        "a key pair of a name that is taken",
        () => checkKeyPair(ACCOUNT, "me", "ssh-ed25519 AAAA"),
        "InvalidKeyPair.Duplicate",
    ],
    ["an unknown AMI", () => checkInstance(ACCOUNT, { ...LAUNCH, ami: "ami-0" }), "InvalidAMIID.NotFound"],
    [
        "an instance of no key pair",
        () => checkInstance(ACCOUNT, { ...LAUNCH, keyName: "you" }),
        "InvalidKeyPair.NotFound",
    ],
    [
        "an instance of no type",
        () => checkInstance(ACCOUNT, { ...LAUNCH, instanceType: "t3.huge" }),
        "InvalidParameterValue",
    ],
    [
        "an instance of another architecture",
        () => checkInstance(ACCOUNT, { ...LAUNCH, instanceType: "t4g.medium" }),
        "InvalidParameterValue",
    ],
    [
        "an instance at the router's address",
        () => checkInstance(ACCOUNT, { ...LAUNCH, privateIp: "10.0.0.1" }),
        "InvalidParameterValue",
    ],
    [
        "an instance outside its subnet",
        () => checkInstance(ACCOUNT, { ...LAUNCH, privateIp: "10.0.16.11" }),
        "InvalidParameterValue",
    ],
    [
        "too much user data",
        () => checkInstance(ACCOUNT, { ...LAUNCH, userData: "x".repeat(16_385) }),
        "InvalidParameterValue",
    ],
    [
        "a spot instance that may not be terminated",
        () => checkInstance(ACCOUNT, { ...LAUNCH, spot: true, disableApiTermination: true }),
        "InvalidParameterCombination",
    ],
    ["an instance without a group", () => checkInstance(ACCOUNT, { ...LAUNCH, groups: [] }), "InvalidParameter"],
    ["the end of a VPC that has subnets", () => checkUnused(ACCOUNT, "vpc"), "DependencyViolation"],
    ["the end of a gateway with addresses", () => checkUnused(ACCOUNT, "igw"), "DependencyViolation"],
    [
        "more addresses than there are",
        () => void freeAddress(ACCOUNT, "198.51.100.0/31"),
        "InsufficientAddressCapacity",
    ],
];

test.each(REJECTED.map(([what, request, code]) => ({ what, request, code })))(
    "the played EC2 rejects $what as EC2 does: $code",
    ({ request, code }) => expect(request).toThrow(expect.objectContaining({ code }) as Error),
);

test("what it is asked by the program passes", () => {
    checkVpc(EMPTY, "10.0.0.0/16");
    checkSubnet(ACCOUNT, "vpc", "10.0.16.0/20", "eu-central-1b");
    checkRule(ACCOUNT, RULE);
    checkRule(ACCOUNT, {
        direction: "ingress",
        securityGroupId: "sg",
        ipProtocol: "-1",
        referencedSecurityGroupId: "sg",
        tags: {},
    });
    checkInstance(ACCOUNT, LAUNCH);
    expect(freeAddress(ACCOUNT, "198.51.100.0/28")).toBe("198.51.100.2");
});
