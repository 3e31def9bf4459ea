# shellcheck shell=bash
# Prints what the checks of the CIS benchmark look at on this machine, and changes nothing: `arg PROCESS WORD` for each word of a process's
# command line, `file MODE OWNER:GROUP PATH`, and `config PROCESS BASE64` for each configuration file. No content of a key or kubeconfig.
set -euo pipefail
shopt -s nullglob

for name in etcd kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy; do
    # The kernel keeps fifteen characters of a name. One in a pod of a user's own may be called the same, and started later.
    process=$(pgrep -xo "${name:0:15}" || true)
    [ -n "$process" ] || continue
    while IFS= read -rd '' word; do
        printf 'arg %s %s\n' "$name" "${word//$'\n'/ }"
    done <"/proc/$process/cmdline"
done

files=(
    /etc/systemd/system/{etcd,kube*}.service /etc/kubernetes/manifests/*.yaml /var/lib/etcd /var/lib/kubelet/kubeconfig
    /etc/kubernetes/*.{conf,crt,key} /etc/kubernetes/*/*.{conf,crt,key,yaml} /etc/etcd/*.{crt,key}
)
for file in "${files[@]}"; do
    if [ -e "$file" ]; then stat -c 'file %a %U:%G %n' "$file"; fi
done

for name in kubelet kube-scheduler kube-proxy; do
    for file in /etc/kubernetes/"$name"/"${name#kube-}".yaml /etc/kubernetes/"$name"/"$name".yaml; do
        if [ -e "$file" ]; then printf 'config %s %s\n' "$name" "$(base64 -w 0 "$file")"; fi
    done
done
