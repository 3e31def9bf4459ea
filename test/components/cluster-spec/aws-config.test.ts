import { checkCluster } from "../../../components/check-cluster";
import type { ClusterArgs } from "../../../components/cluster-args";
import { clusterSpec } from "../../../components/check-cluster";
import { bringUp } from "../../../components/bring-up";
import { Component } from "../../../components/component";
import { run } from "../../support/mocks";
import { unwrap } from "../../support/secrets";

jest.setTimeout(60_000);

const ARGS: ClusterArgs = { provider: "aws", workers: 0, aws: { allowedCidrs: ["203.0.113.7/32"] } };
const CONFIG = { "aws:region": "us-east-1", "aws:profile": "lab", "aws:defaultTags": '{"tags":{"team":"storage"}}' };

class Parent extends Component {
    constructor() {
        super("kubelab:index:Cluster", "test", {});
    }
}

test("what the stack's config says to AWS's own provider counts for kubelab's", async () => {
    const graph = await run(
        () => {
            const spec = clusterSpec("test", ARGS);
            return {
                ...bringUp(
                    { spec, directory: ".kubelab/test", running: [], signsAnew: false, hosts: [] },
                    new Parent(),
                ),
            };
        },
        { config: CONFIG },
    );
    const provider = graph.resources.find(({ type }) => type === "pulumi:providers:aws");
    expect(unwrap(provider?.inputs)).toMatchObject({ region: "us-east-1", profile: "lab" });
    expect(JSON.stringify(provider?.inputs)).toContain("storage");
    const subnet = graph.resources.find(({ type }) => type === "aws:ec2/subnet:Subnet");
    expect(subnet?.inputs["availabilityZone"]).toBe("us-east-1a");
});

test("a region that contradicts it is refused", async () => {
    const args: ClusterArgs = { ...ARGS, aws: { ...ARGS.aws, region: "eu-west-1" } };
    await expect(run(async () => ({ ...(await checkCluster("test", args, {})) }), { config: CONFIG })).rejects.toThrow(
        'aws.region: "eu-west-1" contradicts aws:region, which is "us-east-1"; remove one of the two',
    );
});
