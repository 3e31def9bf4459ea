# shellcheck shell=bash
rolled_out kiosk
said=$(fetch till 'http://kiosk/dial?request=hostname&protocol=http&host=kiosk&port=80&tries=1' --max-time 8) || still "the kiosk's call to its own service hangs"
[[ $said == *kiosk-* ]] || still "the kiosk calls its own service: $said"
