import { type FlagRules, LOGGING } from "../steps/flag-rules";

/**
 * What may be done with kube-proxy's flags; kube-proxy.ts has those that kubelab sets. Beside a configuration file it reads the
 * flags for logging and the node's name alone (copyLogsFromFlags in cmd/kube-proxy/app/options.go).
 */
export const KUBE_PROXY_RULES: FlagRules = {
    owned: {
        podCidr: ["cluster-cidr"],
        proxyMode: ["proxy-mode"],
        file: ["config"],
        node: ["hostname-override"],
        address: ["master", "healthz-bind-address", "healthz-port"],
        identity: ["kubeconfig"],
    },
    weakening: {},
    only: LOGGING,
};
