# shellcheck shell=bash
list='http://warehouse/shell?cmd=head%20-c%20100000%20/dev/zero%20%7C%20base64'
bytes=$(fetch till "$list" -o /dev/null -w '%{size_download}') || still "the long answer stops after ${bytes:-0} bytes"
[ "$bytes" -gt 100000 ] || still "the long answer has $bytes bytes"
