# shellcheck shell=bash
said=$(kubectl --request-timeout=8s --server "https://$OTHER_CONTROL_PLANE_ADDRESS:$API_PORT" get --raw /readyz 2>&1) ||
    still "the API server on $OTHER_CONTROL_PLANE isn't ready: $(grep -o '\[-\][a-z-]*' <<<"$said" | paste -sd ' ' || tail -n 1 <<<"$said")"
