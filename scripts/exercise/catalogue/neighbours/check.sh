# shellcheck shell=bash
rolled_out kiosk
fetch till http://kiosk/hostname --max-time 3 >/dev/null || still "the till gets no answer from the kiosk"
