export { clusterArgsFromConfig } from "./args-from-config";
export { checkCluster, type ClusterChecks } from "./check-cluster";
export { Cluster, type ClusterOptions, type ClusterOutputs } from "./cluster";
export type * from "./cluster-args";
export { lastOutputs, type LastOutputs } from "./running-cluster";
