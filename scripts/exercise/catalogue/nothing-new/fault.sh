# shellcheck shell=bash
inject() {
    kubectl apply -f - <<'MANIFEST'
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: { name: guard.example.com }
webhooks:
    - name: pods.guard.example.com
      admissionReviewVersions: [v1]
      sideEffects: None
      failurePolicy: Fail
      timeoutSeconds: 2
      clientConfig: { service: { name: guard, namespace: guard-system, path: /validate } }
      rules: [{ apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods] }]
MANIFEST
}

undo() {
    kubectl delete validatingwebhookconfiguration guard.example.com --ignore-not-found
}
