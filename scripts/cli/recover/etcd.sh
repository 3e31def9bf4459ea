# shellcheck shell=bash
# A member of etcd that has lost the majority of the others. A call follows: describe_member, go_on_alone or give_data_up.
# https://etcd.io/docs/v3.6/op-guide/recovery/#restarting-a-cluster-after-quorum-loss

DATA=/var/lib/etcd/member
# The data as they were before.
FORMER=/var/lib/kubelab/etcd-before-recover
SETTINGS=/run/systemd/system/etcd.service.d/recover.conf

# As `ask`, of a member that may not answer.
ask_soon() { ask --dial-timeout 2s --command-timeout 4s "$@"; }

# Prints a line: `data` or `empty`; and the next: what it says of itself, as JSON, where it answers.
describe_member() {
    if [ -e "$DATA" ]; then echo data; else echo empty; fi
    ask_soon endpoint status --write-out=json 2>/dev/null || true
}

# A later call of one that was cut short keeps the first copy.
keep_former() {
    systemctl stop etcd
    [ -e "$DATA" ] || fail "etcd has no data here"
    if [ -e "$SETTINGS" ] && [ -e "$FORMER" ]; then return; fi
    rm -rf "$FORMER" "$FORMER.new"
    mkdir -p "${FORMER%/*}"
    cp -a --reflink=auto "$DATA" "$FORMER.new"
    mv "$FORMER.new" "$FORMER"
}

# Starts etcd as the only member, with all that it has: also what the others hadn't confirmed.
go_on_alone() {
    trap '' HUP INT PIPE
    keep_former
    mkdir -p "${SETTINGS%/*}"
    printf '[Service]\nEnvironment=ETCD_FORCE_NEW_CLUSTER=true\n' >"$SETTINGS"
    systemctl daemon-reload
    systemctl reset-failed etcd 2>/dev/null || true
    systemctl start etcd || fail "etcd doesn't start alone; its data are in $FORMER too: $(journalctl --unit etcd --lines 3 --output cat --no-pager)"
    rm -rf "${SETTINGS%/*}"
    systemctl daemon-reload
    members=$(ask_soon member list | wc -l)
    [ "$members" -eq 1 ] || fail "etcd has $members members, and not one"
}

# Its data are aside; it comes back as a new member with the next `up`.
give_data_up() {
    keep_former
    rm -rf "$DATA"
}
