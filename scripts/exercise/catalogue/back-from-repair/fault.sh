# shellcheck shell=bash
# The kernel's time since its start goes on, whatever the clock says.
uptime_seconds() {
    cut -d . -f 1 /proc/uptime
}

inject() {
    remember started "$(($(date +%s) - $(uptime_seconds)))"
    systemctl stop kubelet
    date --set='3 days ago' >/dev/null
    systemctl start --no-block kubelet
}

undo() {
    if [ -n "$(recall started)" ]; then date --set="@$(($(recall started) + $(uptime_seconds)))" >/dev/null; fi
    running kubelet
    forget
}
