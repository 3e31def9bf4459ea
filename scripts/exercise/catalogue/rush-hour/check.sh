# shellcheck shell=bash
for ((n = 0; n < 3; n++)); do
    fetch office http://kiosk/hostname --max-time 3 >/dev/null || still "the office gets no answer from the kiosk"
done
timeout 5 kubectl --namespace "$NAMESPACE" logs deployment/kiosk --tail=1 >/dev/null || still "no logs of the kiosk"
