# shellcheck shell=bash
inject() {
    kubectl "${NS[@]}" apply -f - <<'MANIFEST'
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: shop }
spec:
    podSelector: { matchLabels: { app: shop } }
    policyTypes: [Ingress]
    ingress: [{ from: [{ podSelector: { matchLabels: { role: client } } }] }]
MANIFEST
}

# The namespace goes, and all of it.
undo() {
    :
}
