# shellcheck shell=bash
# An address that is kept for documentation: nobody has it.
inject() {
    kubectl "${NS[@]}" apply -f - <<'MANIFEST'
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
    name: shop-machines
    labels: { kubernetes.io/service-name: shop, endpointslice.kubernetes.io/managed-by: staff }
addressType: IPv4
ports: [{ name: "", port: 8080, protocol: TCP }]
endpoints: [{ addresses: [192.0.2.10], conditions: { ready: true } }]
MANIFEST
}

# The namespace goes, and all of it.
undo() {
    :
}
