# shellcheck shell=bash
# Whatever the answer is: there has to be one.
said=$(inside reporter curl -sS --max-time 5 -o /dev/null --cacert /var/run/secrets/kubernetes.io/serviceaccount/ca.crt \
    https://kubernetes.default.svc/version 2>&1) || still "the reporter: $(grep curl: <<<"$said" || tail -n 1 <<<"$said")"
