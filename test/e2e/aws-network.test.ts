import { spawnSync } from "node:child_process";
import { run, tryRun } from "../../scripts/machines/commands";
import { Cloud } from "../support/aws/cloud";
import type { InstanceState, Rule } from "../support/aws/model";
import { attachGateway, bridgeOf, createRouter, createSubnet, hostAddress, linkOf } from "../support/aws/router";
import { story } from "../support/lab";

const UPLINK = { network: "10.235.243.0/30", publicAddresses: "10.235.244.0/28" };
const PODS = "10.98.0.0/16";

/**
 * The network of the played EC2, with nothing in it but namespaces where instances would be: what the stories of whole clusters can
 * rely on. Node a and b are in one subnet, c in another; each has a range of pods.
 */
story("the network of the played EC2", () => {
    const cloud = new Cloud({ account: "ec2-network", uplink: UPLINK });
    const nodes = {
        a: { address: "10.235.32.11", subnet: 0, pods: "10.98.1" },
        b: { address: "10.235.32.12", subnet: 0, pods: "10.98.2" },
        c: { address: "10.235.33.13", subnet: 1, pods: "10.98.3" },
    } as const;
    type Name = keyof typeof nodes;
    const namespaceOf = (name: Name): string => `ec2-network-${name}`;
    const instances: Record<string, string> = {};
    const rules: Record<string, string> = {};
    let vpcId = "";
    let group = "";
    let routeTableId = "";

    /** Whether a packet gets there and its answer back: nothing listens, so the answer is a refusal. */
    const pings = (from: Name, to: string, source: string = nodes[from].address): boolean => {
        const ask = ["curl", "-s", "--connect-timeout", "1", "--interface", source, `http://${to}:9/`];
        return spawnSync("ip", ["netns", "exec", namespaceOf(from), ...ask], { stdio: "ignore" }).status === 7;
    };
    const pod = (name: Name): string => `${nodes[name].pods}.1`;

    async function clear(): Promise<void> {
        Object.keys(nodes).forEach((name) => tryRun("ip", ["netns", "delete", namespaceOf(name as Name)]));
        await cloud.clear();
    }

    function change(name: Name, changes: Partial<InstanceState>): void {
        const id = instances[name] ?? "";
        cloud.put("instances", id, { ...cloud.instance(id), ...changes });
        cloud.apply();
    }

    function without(rule: string, work: () => void): void {
        const id = rules[rule] ?? "";
        const row = cloud.account.rules[id] as Rule;
        cloud.remove("rules", id);
        cloud.apply();
        try {
            work();
        } finally {
            cloud.put("rules", id, row);
            cloud.apply();
        }
    }

    beforeAll(async () => {
        await clear();
        vpcId = cloud.add("vpcs", "vpc", { cidrBlock: "10.235.32.0/20", tags: {} });
        createRouter(vpcId);
        attachGateway(vpcId, UPLINK);
        const gatewayId = cloud.add("gateways", "igw", { vpcId, tags: {} });
        routeTableId = cloud.add("routeTables", "rtb", { vpcId, tags: {} });
        cloud.add("routes", "r", { routeTableId, destinationCidrBlock: "0.0.0.0/0", gatewayId });
        const subnets = ["10.235.32.0/24", "10.235.33.0/24"].map((cidrBlock, index) => {
            const id = cloud.add("subnets", "subnet", {
                vpcId,
                cidrBlock,
                availabilityZone: `eu-central-1${"ab"[index]}`,
                tags: {},
            });
            createSubnet(vpcId, id, cidrBlock);
            cloud.add("associations", "rtbassoc", { subnetId: id, routeTableId });
            return id;
        });
        group = cloud.add("groups", "sg", { vpcId, tags: {} });
        const rule = (name: string, row: Partial<Rule>): void => {
            rules[name] = cloud.add("rules", "sgr", {
                ...{ direction: "ingress", securityGroupId: group, ipProtocol: "-1", tags: {} },
                ...row,
            });
        };
        rule("out", { direction: "egress", cidrIpv4: "0.0.0.0/0" });
        rule("members", { referencedSecurityGroupId: group });
        rule("pods", { cidrIpv4: PODS });
        rule("web", { ipProtocol: "tcp", fromPort: 80, toPort: 80, cidrIpv4: `${hostAddress(UPLINK)}/32` });
        for (const [index, [name, { address, subnet, pods }]] of Object.entries(nodes).entries()) {
            const subnetId = subnets[subnet] ?? "";
            const networkInterfaceId = `eni-${vpcId.slice("vpc-".length, -4)}ff0${index}`;
            instances[name] = cloud.add("instances", "i", {
                ...{ ami: "", instanceType: "", subnetId, privateIp: address, networkInterfaceId, groups: [group] },
                ...{ publicIp: `10.235.244.${index + 1}`, sourceDestCheck: false, keyName: "", userData: "" },
                ...{ disableApiTermination: false, spot: false, tags: {} },
            });
            const namespace = namespaceOf(name as Name);
            run("ip", ["netns", "add", namespace]);
            run("ip", [
                "-n",
                vpcId,
                "link",
                "add",
                linkOf(networkInterfaceId),
                "type",
                "veth",
                "peer",
                "name",
                "eth0",
                "netns",
                namespace,
            ]);
            run("ip", ["-n", vpcId, "link", "set", linkOf(networkInterfaceId), "master", bridgeOf(subnetId), "up"]);
            const gateway = address.replace(/\d+$/, "1");
            for (const command of [
                "link set lo up",
                "link set eth0 up",
                `address add ${address}/24 dev eth0`,
                `address add ${pods}.1/32 dev lo`,
                `route add default via ${gateway}`,
            ]) {
                run("ip", ["-n", namespace, ...command.split(" ")]);
            }
            cloud.add("routes", "r", { routeTableId, destinationCidrBlock: `${pods}.0/24`, networkInterfaceId });
        }
        // A host route to a neighbour in the same subnet, as kubenet has it.
        run("ip", ["-n", namespaceOf("a"), "route", "add", `${nodes.b.pods}.0/24`, "via", nodes.b.address]);
        cloud.apply();
    }, 60_000);

    afterAll(clear);

    it("carries packets within a subnet, between subnets, and between pods by host routes and by the VPC's", () => {
        expect({
            "within a subnet": pings("a", nodes.b.address),
            "between subnets": pings("a", nodes.c.address),
            "pods, by a host route": pings("a", pod("b"), pod("a")),
            "pods, by the VPC's route": pings("a", pod("c"), pod("a")),
            "pods of c to b": pings("c", pod("b"), pod("c")),
        }).toEqual({
            "within a subnet": true,
            "between subnets": true,
            "pods, by a host route": true,
            "pods, by the VPC's route": true,
            "pods of c to b": true,
        });
    }, 30_000);

    it("drops what no rule lets in, on the same link and on others, and answers pass", () => {
        without("members", () => {
            expect(pings("a", nodes.b.address)).toBe(false);
            expect(pings("a", nodes.c.address)).toBe(false);
            expect(pings("a", pod("b"), pod("a"))).toBe(true);
        });
        without("pods", () => {
            expect(pings("a", pod("b"), pod("a"))).toBe(false);
            expect(pings("a", pod("c"), pod("a"))).toBe(false);
            expect(pings("a", nodes.c.address)).toBe(true);
        });
        without("out", () => expect(pings("a", nodes.b.address)).toBe(false));
        // Nobody lets a in, but it gets the answers to what it asks.
        change("a", { groups: [cloud.add("groups", "sg", { vpcId, tags: {} })] });
        expect(pings("a", nodes.b.address)).toBe(false);
        change("a", { groups: [group] });
    }, 30_000);

    it("lets nothing through that isn't an instance's own, where the source/destination check is on", () => {
        change("b", { sourceDestCheck: true });
        expect(pings("a", pod("b"), pod("a"))).toBe(false);
        expect(pings("a", nodes.b.address)).toBe(true);
        change("b", { sourceDestCheck: false });
        change("a", { sourceDestCheck: true });
        expect(pings("a", pod("b"), pod("a"))).toBe(false);
        change("a", { sourceDestCheck: false });
        expect(pings("a", pod("b"), pod("a"))).toBe(true);
    }, 30_000);

    it("leads to pods of another subnet by the VPC's route alone", () => {
        const [id = "", route] =
            Object.entries(cloud.account.routes).find(
                ([, each]) => each.destinationCidrBlock === `${nodes.c.pods}.0/24`,
            ) ?? [];
        cloud.remove("routes", id);
        cloud.apply();
        expect(pings("a", pod("c"), pod("a"))).toBe(false);
        expect(pings("a", nodes.c.address)).toBe(true);
        if (route !== undefined) {
            cloud.put("routes", id, route);
        }
        cloud.apply();
        expect(pings("a", pod("c"), pod("a"))).toBe(true);
    }, 30_000);

    it("maps public addresses, for the ports and the addresses that a rule names", () => {
        const asked = (address: string, port: number): number | null =>
            spawnSync("curl", ["-s", "--connect-timeout", "1", "-o", "/dev/null", `http://${address}:${port}/`]).status;
        // 7: the machine itself refuses, as nothing listens there; 28: nobody answers.
        expect(asked("10.235.244.1", 80)).toBe(7);
        expect(asked("10.235.244.1", 81)).toBe(28);
        expect(pings("a", hostAddress(UPLINK))).toBe(true);
        change("c", { publicIp: "10.235.244.9" });
        expect(asked("10.235.244.3", 80)).toBe(28);
        expect(asked("10.235.244.9", 80)).toBe(7);
    }, 30_000);
});
