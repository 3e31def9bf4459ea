import { type FlagRules, KUBECONFIGS, OPEN_PATHS, REQUEST_HEADER, SERVING, WEAK_TLS } from "../steps/flag-rules";

/** What may be done with the scheduler's flags; scheduler.ts has those that kubelab sets. */
export const SCHEDULER_RULES: FlagRules = {
    owned: {
        file: ["config"],
        address: ["bind-address", "secure-port", "master"],
        // https://kubernetes.io/docs/reference/command-line-tools-reference/kube-scheduler/: "ignored if a config file is specified"
        configured: ["profiling", "contention-profiling", "kube-api-content-type", "kube-api-qps", "kube-api-burst"],
        identity: [...KUBECONFIGS, ...SERVING, ...REQUEST_HEADER],
    },
    weakening: { ...OPEN_PATHS, ...WEAK_TLS },
    merged: ["feature-gates"],
};
