import * as pulumi from "@pulumi/pulumi";
import { Cluster } from "./components/cluster";
import { parseClusterSpec, readConfig } from "./components/spec";

const spec = parseClusterSpec(readConfig().raw, { stack: pulumi.getStack() });
const cluster = new Cluster(spec);

export const kubeconfig = cluster.kubeconfig;
export const nodes = cluster.nodes;
export const apiServer = cluster.apiServer;
export const sshCommands = cluster.sshCommands;
