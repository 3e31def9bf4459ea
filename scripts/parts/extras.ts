/** Parts that only some clusters need, by what needs them; parts.yaml and images.yaml say which those are. */
export const EXTRAS = ["kubeadm", "static-pods", "flannel", "kube-router", "conformance", "app"] as const;
export type Extra = (typeof EXTRAS)[number];
