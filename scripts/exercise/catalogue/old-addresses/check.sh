# shellcheck shell=bash
for ((n = 0; n < 4; n++)); do
    fetch till http://shop/hostname --max-time 2 >/dev/null || still "the till gets no answer from the shop"
done
