# shellcheck shell=bash
# A DNS that starts again and again answers now and then.
for ((n = 0; n < 3; n++)); do
    inside till timeout 4 getent hosts kubernetes.default.svc.cluster.local >/dev/null || still "the till doesn't resolve kubernetes.default"
    sleep 2
done
