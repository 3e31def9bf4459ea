# shellcheck shell=bash
# A member of etcd that has lost the majority of the others. A call follows: describe_member, go_on_alone or give_data_up.
# https://etcd.io/docs/v3.6/op-guide/recovery/#restarting-a-cluster-after-quorum-loss

# The data as they were before.
FORMER=/var/lib/kubelab/etcd-before-recover
# There while one goes on alone: what a run that was cut short has kept stays.
BEGUN=/run/kubelab/etcd-recover
SETTINGS=/run/systemd/system/etcd.service.d/recover.conf

# Prints a line: `data` or `empty`; and the next: what it says of itself, as JSON, where it answers.
describe_member() {
    if [ -e "$DATA" ]; then echo data; else echo empty; fi
    ask_soon endpoint status --write-out=json 2>/dev/null || true
}

keep_former() {
    # Of a run that was cut short.
    if grep -qs ETCD_FORCE_NEW_CLUSTER "$PODS/etcd.yaml"; then rm -f "$PODS/etcd.yaml"; fi
    stop_process etcd || fail "etcd doesn't stop"
    [ -e "$DATA" ] || fail "etcd has no data here"
    if [ -e "$BEGUN" ] && [ -e "$FORMER" ]; then return; fi
    rm -rf "$FORMER" "$FORMER.new"
    mkdir -p "${FORMER%/*}"
    cp -a --reflink=auto "$DATA" "$FORMER.new"
    mv "$FORMER.new" "$FORMER"
    mkdir -p "${BEGUN%/*}"
    : >"$BEGUN"
}

answers() { ask_soon endpoint health >/dev/null 2>&1; }

# The manifest of its pod, with the variable by which it forgets the others.
forced_pod() {
    sed 's/^\( *\)env:$/&\n\1  - name: ETCD_FORCE_NEW_CLUSTER\n\1    value: "true"/' "$AWAY/etcd.yaml"
}

# start_alone: starts it as the only member, until its next start.
start_alone() {
    if is_pod etcd; then
        forced_pod >"$PODS/.etcd.new"
        mv "$PODS/.etcd.new" "$PODS/etcd.yaml"
        within 180 answers || return
        rm -f "$PODS/etcd.yaml"
        within 120 is_gone etcd || return
        start_process etcd
        within 180 answers
    else
        mkdir -p "${SETTINGS%/*}"
        printf '[Service]\nEnvironment=ETCD_FORCE_NEW_CLUSTER=true\n' >"$SETTINGS"
        systemctl daemon-reload
        systemctl reset-failed etcd 2>/dev/null || true
        systemctl start etcd || return
        rm -rf "${SETTINGS%/*}"
        systemctl daemon-reload
    fi
}

# Starts etcd as the only member, with all that it has: also what the others hadn't confirmed.
go_on_alone() {
    trap '' HUP INT PIPE
    keep_former
    start_alone || fail "etcd doesn't start alone; its data are in $FORMER too: $(journalctl --unit etcd --lines 3 --output cat --no-pager)"
    members=$(ask_soon member list | wc -l)
    [ "$members" -eq 1 ] || fail "etcd has $members members, and not one"
    rm -f "$BEGUN"
}

# Its data are aside; it comes back as a new member with the next `up`.
give_data_up() {
    keep_former
    rm -rf "$DATA"
    await_others
    rm -f "$BEGUN"
}
