# shellcheck shell=bash
# shellcheck disable=SC2016 # the pod's own variables
code=$(inside reporter sh -c 'cd /var/run/secrets/kubernetes.io/serviceaccount && curl -sS --max-time 5 -o /dev/null -w "%{http_code}" \
    --cacert ca.crt -H "Authorization: Bearer $(cat token)" "https://kubernetes.default.svc/api/v1/namespaces/$0/configmaps"' "$NAMESPACE") ||
    still "the reporter gets no answer"
[ "$code" = 200 ] || still "the reporter gets the answer $code"
