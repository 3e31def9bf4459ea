import type { AwsLab } from "../support/aws/lab";
import type { Route } from "../support/aws/model";
import { PlayedCluster } from "../support/aws/played-cluster";
import type { Upstream } from "../support/aws/upstream";
import { NO_CHANGES, story } from "../support/lab";

/** Spot workers, and parts that the control plane has for them: nothing but images comes from the internet. */
story("a cluster on a played EC2, in two zones", () => {
    let played: PlayedCluster;
    let upstream: Upstream;
    let lab: AwsLab;

    beforeAll(async () => {
        const around = {
            internet: "10.235.245.1",
            serves: "images",
            uplink: { network: "10.235.246.0/30", publicAddresses: "10.235.240.64/26" },
            own: /10\.235\.(1[67]|24[56])\.|10\.235\.240\.64|ec2-aws-two/,
        } as const;
        const zones = { network: "10.235.16.0/20", availabilityZones: ["eu-central-1a", "eu-central-1b"] };
        const parts = { delivery: "relay" };
        played = await PlayedCluster.begin("aws-two", around, { ...zones, spotWorkers: true }, { parts });
        ({ lab, upstream } = played);
    }, 300_000);
    afterAll(async () => {
        await played.end();
    }, 120_000);

    it("comes up with a node in each zone, and parts that were sent to the control plane alone", () => {
        lab.succeed("up");
        const zones = lab.kubectl("get", "nodes", "-L", "topology.kubernetes.io/zone", "--no-headers");
        expect(zones).toMatch(/cp-1 +Ready .* eu-central-1a$/m);
        expect(zones).toMatch(/worker-1 +Ready .* eu-central-1a$/m);
        expect(zones).toMatch(/worker-2 +Ready .* eu-central-1b$/m);
        const served = lab.ssh("cp-1", "systemctl show --property=NAccepted --value kubelab-relay.socket");
        const files = lab.ssh("worker-2", "ls -d /opt/kubelab/parts/* | wc -l");
        expect(Number(files)).toBeGreaterThan(5);
        // One request of its own, to see whether it answers.
        expect(Number(served)).toBe(2 * Number(files) + 1);
        expect(upstream.requests().filter((line) => !/ \/v2\//.test(line))).toEqual([]);
    }, 300_000);

    it("passes every check of verify", () => {
        expect(lab.succeed("verify", [], 300)).toMatch(/all \d+ checks passed/);
    }, 300_000);

    it("has the way to pods of the other zone in the VPC's route table, and nowhere else", () => {
        expect(lab.ssh("worker-2", "ip route show proto 75").trim()).toBe("");
        const pod = lab.startPods();
        expect(lab.podAnswers(pod)).toBe(true);
        const { cloud, account } = lab;
        const [id = "", route] =
            Object.entries(account.routes).find(
                ([, { destinationCidrBlock }]) => destinationCidrBlock === "10.99.2.0/24",
            ) ?? [];
        cloud.remove("routes", id);
        cloud.apply();
        expect(lab.podAnswers(pod)).toBe(false);
        cloud.put("routes", id, route as Route);
        cloud.apply();
        expect(lab.podAnswers(pod)).toBe(true);
    }, 180_000);

    it("is not touched by a second up", () => {
        expect(lab.upChanges()).toEqual(NO_CHANGES);
    }, 60_000);

    it("goes down and leaves nothing in the account and on this host", async () => {
        lab.succeed("down");
        await played.expectNothingLeft();
    }, 120_000);
});
