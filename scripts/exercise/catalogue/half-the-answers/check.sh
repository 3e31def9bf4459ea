# shellcheck shell=bash
seen=$(for ((n = 0; n < 8; n++)); do fetch office http://shop/hostname --max-time 2 || still "a call from the office: no answer"; echo; done)
[ "$(sort -u <<<"$seen" | grep -c shop)" -ge 1 ] || still "no pod of the shop has answered"
