# shellcheck shell=bash
# Functions of the steps that run a process as a static pod; they use those of step-library.sh.

# static_pod_put NAME USER DIRECTORY <MANIFEST: gives the kubelet the manifest of the process NAME, which runs as USER. The pod's
# revision is a digest of the manifest and of all files in DIRECTORY, so that the kubelet replaces the pod when one of them changed.
manifests=/etc/kubernetes/manifests
refreshing=''
static_pod_put() {
    local name=$1 user=$2 directory=$3 text manifest=$manifests/$1.yaml
    text=$(sed -e "s/: KUBELAB_UID$/: $(id -u "$user")/" -e "s/: KUBELAB_GID$/: $(id -g "$user")/" -e 's/^\( *kubelab\/revision:\).*/\1 none/')
    text=$(static_pod_environment "$directory"/*.env <<<"$text")
    revision=$({
        printf '%s\n' "$text"
        find "$directory" -type f ! -name '.kubelab.*' -exec sha256sum {} + | sort
    } | sha256sum | cut -c 1-16)
    if [ ! -d "$manifests" ]; then install -d -m 0755 "$manifests"; fi
    text=$(sed "s/^\( *kubelab\/revision:\).*/\1 r$revision/" <<<"$text")
    if [ -e "$manifest" ] && ! cmp -s "$manifest" - <<<"$text"; then
        keep_before "$manifest"
        static_pod_down "$name"
    fi
    if [ -n "$refreshing" ]; then
        plan_unnoted "$manifest" 0600 root:root <<<"$text"
        write_planned
        note_again "$manifest"
    else
        put "$manifest" 0600 root:root <<<"$text"
    fi
    change_applied
}

# static_pod_environment FILE... <MANIFEST: the manifest with the variables of the files, `NAME=value` a line; empty where they have none.
static_pod_environment() {
    local text file name value
    text=$(</dev/stdin)$'\n'
    for file; do
        if [ ! -e "$file" ]; then continue; fi
        while IFS='=' read -r name value; do
            text=${text//": KUBELAB_ENV_$name"$'\n'/": \"${value//\"/}\""$'\n'}
        done <"$file"
    done
    while [[ $text =~ ': KUBELAB_ENV_'[A-Z_]+ ]]; do text=${text/"${BASH_REMATCH[0]}"/: \"\"}; done
    printf '%s' "$text"
}

# static_pod_runs: whether the kubelet has started the pod of the manifest that was put last. It has ended the one before by then.
revision=''
static_pod_runs() {
    [ -n "$(ctr -n k8s.io --connect-timeout 1s containers ls -q "labels.\"kubelab/revision\"==r$revision" 2>/dev/null)" ]
}

# static_pod_up NAME SECONDS COMMAND...: waits until the pod runs, for three times SECONDS at most, and then SECONDS until its health
# check passes; shows why when that fails, or when its container has ended and been started again three times.
static_pod_up() {
    local name=$1 patience=$2 deadline=$((SECONDS + 3 * $2)) looked=$SECONDS runs='' logs='' before_start
    shift 2
    # None for a pod that the kubelet hasn't seen yet.
    before_start=$(static_pod_starts "$(static_pod_logs "$name")")
    while [ "$SECONDS" -lt "$deadline" ]; do
        if listening "$@" && { [ -n "$runs" ] || static_pod_runs; } && "$@" >/dev/null 2>&1; then return; fi
        give_way
        if [ "$SECONDS" -gt "$looked" ]; then
            looked=$SECONDS
            if [ -z "$runs" ] && static_pod_runs; then runs=1 deadline=$((SECONDS + patience)); fi
            if [ -n "$runs" ]; then
                logs=$(static_pod_logs "$name")
                if [ "$(static_pod_starts "$logs")" -ge $((before_start + 3)) ]; then break; fi
            fi
        fi
        pause 0.1
    done
    {
        printf 'kubelab: %s: the static pod %s is not healthy; checked: %s\n' "$HOSTNAME" "$name" "$*"
        if [ -d "$logs" ]; then
            printf -- '--- the last lines of its container in %s\n' "$logs"
            find "$logs" -name '*.log' -size +0 -printf '%T@ %p\n' | sort -n | tail -1 | cut -d ' ' -f 2 |
                xargs -r tail -n 15 | sed 's/^[^ ]* std[a-z]* [FP] //'
        else
            printf -- '--- journalctl -u kubelet\n'
            journalctl -u kubelet -n 15 --no-pager -o cat
        fi
    } >&2
    exit 1
}

# static_pod_image IMAGE: has containerd get an image while the kubelet still starts. What is wrong if it can't be had, the kubelet
# tells.
static_pod_image() {
    within 60 test -S /run/containerd/containerd.sock || return 0
    [ -z "$(ctr -n k8s.io images ls -q "name==$1")" ] || return 0
    timeout 60 ctr -n k8s.io images pull --hosts-dir /etc/containerd/certs.d --label io.cri-containerd.image=managed "$1" >/dev/null 2>&1 || true
}

# static_pod_uid NAME: the id that the kubelet has given to the pod of the manifest. The same manifest always has the same one.
static_pod_uid() {
    local container
    container=$(ctr -n k8s.io --connect-timeout 1s containers ls -q "labels.\"kubelab/revision\"==$(sed -n 's/^ *kubelab\/revision: //p' "$manifests/$1.yaml")" 2>/dev/null)
    [ -n "$container" ] || return 0
    container=$(ctr -n k8s.io containers info "${container%%$'\n'*}")
    sed -n 's/.*"io.kubernetes.pod.uid": "\([^"]*\)".*/\1/p' <<<"$container"
}

# static_pod_logs NAME: the directory of the logs of the pod's container.
static_pod_logs() {
    find /var/log/pods -maxdepth 2 -type d -path "/var/log/pods/kube-system_$1-*_$(static_pod_uid "$1")/$1" 2>/dev/null || true
}

# static_pod_starts LOGS: how often the container has been started again; its logs are numbered.
static_pod_starts() {
    { find "${1:-/nonexistent}" -name '*.log' -printf '%f\n' 2>/dev/null || true; } | sort -n | tail -1 | sed 's/\..*//; s/^$/0/' | grep . || echo 0
}

# static_pod_ended UID: whether nothing is left of a pod.
static_pod_ended() {
    [ -z "$(find /sys/fs/cgroup -maxdepth 5 -type d -name "*pod$1*" -print -quit)" ]
}

# static_pod_refresh NAME USER DIRECTORY SECONDS COMMAND...: replaces a pod when a file that it has read changed (a renewed
# certificate, say).
static_pod_refresh() {
    local name=$1 user=$2 directory=$3
    shift 3
    [ -n "$changed" ] && [ -e "$manifests/$name.yaml" ] || return 0
    refreshing=1
    static_pod_put "$name" "$user" "$directory" <"$manifests/$name.yaml"
    static_pod_up "$name" "$@"
}

# static_pod_down NAME: takes the pod away and waits until the kubelet has forgotten it: if another one came before that, the kubelet
# would look at it ten seconds later. Before it forgets a pod it tells the API server, which takes half a minute to say no without etcd.
static_pod_down() {
    local uid
    [ -e "$manifests/$1.yaml" ] || return 0
    uid=$(static_pod_uid "$1")
    rm -f "$manifests/$1.yaml"
    [ -n "$uid" ] || return 0
    # The last thing that goes is the pod's cgroup.
    within 120 static_pod_ended "$uid" || fail "the static pod $1 didn't end within two minutes: journalctl -u kubelet"
}
