import * as pulumi from "@pulumi/pulumi";
import { checkCluster, Cluster, clusterArgsFromConfig, lastOutputs } from "./components";
import { formerNames } from "./components/former-names";

/** One cluster, as the config of the stack describes it. */
export = async () => {
    const args = clusterArgsFromConfig();
    const name = args.name || pulumi.getStack();
    const checks = await checkCluster(name, args, await lastOutputs("last-run"));
    return new Cluster(name, args, { checks, transformations: [formerNames(name)] }).outputs;
};
