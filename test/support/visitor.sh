#!/bin/bash
# Asks a web service every tenth of a second, each time by a connection of its own.
#   visitor.sh URL DIRECTORY
set -euo pipefail
# shellcheck disable=SC1091
. "${BASH_SOURCE[0]%/*}/requests.sh"
cd "$2"

for ((number = 1; ; number++)); do
    # A packet that gets lost comes again after a second: a connection that takes longer has lost one.
    request "$1" 5 --connect-timeout 0.9
    sleep 0.1
done
