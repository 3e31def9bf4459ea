# shellcheck shell=bash
said=$(kubectl --request-timeout=5s get nodes 2>&1 >/dev/null) || still "kubectl: $(tail -n 1 <<<"$said")"
