import {
    type FlagRules,
    isFalse,
    isTrue,
    KUBECONFIGS,
    OPEN_PATHS,
    PROFILES,
    REQUEST_HEADER,
    SERVING,
    WEAK_TLS,
} from "../steps/flag-rules";

/** What may be done with the controller manager's flags; controller-manager.ts has those that kubelab sets. */
export const CONTROLLER_MANAGER_RULES: FlagRules = {
    owned: {
        podCidr: ["cluster-cidr", "allocate-node-cidrs", "node-cidr-mask-size", "node-cidr-mask-size-ipv4"],
        serviceCidr: ["service-cluster-ip-range"],
        address: ["bind-address", "secure-port", "master"],
        cloud: ["cloud-provider", "cloud-config", "external-cloud-volume-plugin"],
        identity: [
            ...KUBECONFIGS,
            ...SERVING,
            ...REQUEST_HEADER,
            ...["cluster-signing-cert-file", "cluster-signing-key-file"],
            ...["service-account-private-key-file", "root-ca-file"],
        ],
    },
    weakening: { profiling: { when: isTrue, why: PROFILES }, ...OPEN_PATHS, ...WEAK_TLS },
    breaking: {
        "use-service-account-credentials": {
            when: isFalse,
            why: "the controllers' own identity has none of the rights that each one's role has",
        },
    },
    merged: ["feature-gates", "controllers"],
};
