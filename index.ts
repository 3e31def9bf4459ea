import * as pulumi from "@pulumi/pulumi";
import { Cluster } from "./components/cluster";
import { refuseChangesToARunningCluster } from "./components/running-cluster";
import { keptForLife, parseClusterSpec, readConfig } from "./components/spec";

export = async () => {
    const spec = parseClusterSpec(readConfig().raw, { stack: pulumi.getStack() });
    const running = await refuseChangesToARunningCluster(spec);
    const { kubeconfig, nodes, apiServer, sshCommands } = new Cluster(spec, { running });
    return { kubeconfig, nodes, apiServer, sshCommands, cluster: keptForLife(spec) };
};
