import type { AwsLab } from "../support/aws/lab";
import { PlayedCluster } from "../support/aws/played-cluster";
import { NO_CHANGES, story } from "../support/lab";

/** flannel in kube-router's place, whose tunnels between zones need a kernel with ipip. */
story("a cluster on a played EC2, with a CNI plugin", () => {
    let played: PlayedCluster;
    let lab: AwsLab;

    beforeAll(async () => {
        const around = {
            internet: "10.235.247.1",
            serves: "images",
            uplink: { network: "10.235.248.0/30", publicAddresses: "10.235.240.128/26" },
            own: /10\.235\.(4[89]|24[78])\.|10\.235\.240\.128|ec2-aws-cni/,
        } as const;
        const zones = { network: "10.235.48.0/20", availabilityZones: ["eu-central-1a", "eu-central-1b"] };
        const more = { network: "cni", cniPlugin: "flannel", parts: { delivery: "relay" } };
        played = await PlayedCluster.begin("aws-cni", around, zones, more);
        ({ lab } = played);
    }, 300_000);
    afterAll(async () => {
        await played.end();
    }, 120_000);

    it("comes up in two zones, and passes every check of verify", () => {
        lab.succeed("up");
        expect(lab.succeed("verify", [], 300)).toMatch(/all \d+ checks passed/);
    }, 600_000);

    it("carries pods' packets as they are within a subnet and in a tunnel between subnets, without routes of the VPC", () => {
        const path = '{range .items[*]}{.spec.podCIDR}{"\\n"}{end}';
        const [controlPlane, worker1, worker2] = lab
            .kubectl("get", "nodes", "-o", `jsonpath=${path}`)
            .trim()
            .split("\n");
        const way = (node: string, to: string | undefined): string =>
            lab.ssh(node, `ip -4 -o route show ${to ?? ""} | cut -d ' ' -f 3-5`).trim();
        expect(way("worker-1", controlPlane)).toBe("10.235.48.11 dev eth0");
        expect(way("worker-1", worker2)).toMatch(/ dev flannel\.1$/);
        expect(way("worker-2", worker1)).toMatch(/ dev flannel\.1$/);
        const routes = Object.values(lab.account.routes).map((route) => route.destinationCidrBlock);
        expect(routes).toEqual(["0.0.0.0/0"]);
    }, 60_000);

    it("is not touched by a second up", () => {
        expect(lab.upChanges()).toEqual(NO_CHANGES);
    }, 60_000);

    it("goes down and leaves nothing in the account and on this host", async () => {
        lab.succeed("down");
        await played.expectNothingLeft();
    }, 120_000);
});
