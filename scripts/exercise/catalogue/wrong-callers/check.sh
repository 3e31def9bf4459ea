# shellcheck shell=bash
seen=$(fetch till http://warehouse/clientip) || still "the warehouse doesn't answer"
own=$(in_ns get pods -l app=till -o 'jsonpath={.items[*].status.podIP}')
[ "${seen%:*}" = "$own" ] || still "the till has the address $own, and the warehouse saw ${seen%:*}"
