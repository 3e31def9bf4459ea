/**
 * TCP ports of the cluster's processes, upstream's defaults: https://kubernetes.io/docs/reference/networking/ports-and-protocols/.
 * Whoever listens, asks or checks takes them from here.
 */
export const PORTS = {
    apiServer: 6443,
    etcdClient: 2379,
    etcdPeer: 2380,
    /** Plain HTTP on loopback: a kubelet's probe has no client certificate. */
    etcdMetrics: 2381,
    controllerManager: 10257,
    scheduler: 10259,
    kubelet: 10250,
    kubeletHealth: 10248,
    kubeProxyHealth: 10256,
    kubeProxyMetrics: 10249,
    corednsHealth: 8080,
    corednsReady: 8181,
    corednsMetrics: 9153,
    /** Of the first control plane, where it has the parts for the others. */
    relay: 10288,
    /** Of a local lab's image registry, unless `kubelab:local.registryPort` says otherwise. */
    registry: 5000,
    ssh: 22,
    /** On the workstation's loopback, of a local machine that has no address there: an ordinary user can't have port 22. */
    forwardedSsh: 2222,
} as const;
