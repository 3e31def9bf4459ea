import * as pulumi from "@pulumi/pulumi";
import { Cluster } from "./components/cluster";
import { knownHosts } from "./components/machines/hosts";
import { inspectHosts } from "./components/machines/hosts/preflight";
import { refuseChangesToARunningCluster } from "./components/running-cluster";
import { keptForLife, parseClusterSpec, readConfig } from "./components/cluster-spec";

export = async () => {
    const spec = parseClusterSpec(readConfig().raw, { stack: pulumi.getStack() });
    const running = await refuseChangesToARunningCluster(spec);
    const hosts = await inspectHosts(spec, running.hosts);
    const { kubeconfig, nodes, apiServer, sshCommands } = new Cluster(spec, { running: running.nodes, hosts });
    const outputs = { kubeconfig, nodes, apiServer, sshCommands, cluster: keptForLife(spec) };
    return spec.provider === "hosts" ? { ...outputs, hosts: knownHosts(hosts) } : outputs;
};
