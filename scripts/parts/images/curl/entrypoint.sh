#!/bin/sh
# Arguments that are no program are curl's own: `kubectl run … --image=curlimages/curl -- -s http://web`.
if [ "${1#-}" != "$1" ] || ! command -v "$1" >/dev/null; then
    set -- curl "$@"
fi
exec "$@"
