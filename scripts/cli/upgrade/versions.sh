# shellcheck shell=bash
# Prints `NAME VERSION` of each of the cluster's programs that runs on this machine, which may be another than is installed by now.
for name in etcd kube-apiserver kube-controller-manager kube-scheduler containerd kubelet kube-proxy; do
    # Names of processes have 15 characters.
    process=$(pgrep -o -x "${name:0:15}") || continue
    said=$("/proc/$process/exe" --version 2>/dev/null | head -n 1)
    if [[ $said =~ v?([0-9]+\.[0-9]+\.[0-9]+[0-9A-Za-z.+-]*) ]]; then echo "$name ${BASH_REMATCH[1]}"; fi
done
