import {
    type FlagRules,
    isFalse,
    isTrue,
    items,
    PROFILES,
    REQUEST_HEADER,
    SERVING,
    WEAK_TLS,
    type ValueRule,
} from "../steps/flag-rules";

/** Admission plugins that are on by default, or by kubelab, and hold a limit. */
const GUARDS = [
    "NodeRestriction",
    "ServiceAccount",
    "PodSecurity",
    "DenyServiceExternalIPs",
    "EventRateLimit",
    "NamespaceLifecycle",
    "CertificateApproval",
    "CertificateSigning",
    "CertificateSubjectRestriction",
    "ClusterTrustBundleAttest",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionWebhook",
];
const MODES = ["Node", "RBAC"];

const WEAKENING: Readonly<Record<string, ValueRule>> = {
    "authorization-mode": {
        when: (value) => items(value).includes("AlwaysAllow"),
        why: "AlwaysAllow allows every request",
    },
    "anonymous-auth": { when: isTrue, why: "requests without credentials reach more than the health paths" },
    "disable-admission-plugins": {
        when: (value) => items(value).some((plugin) => GUARDS.includes(plugin)),
        why: `without ${GUARDS.slice(0, 3).join(", ")} and their like, kubelets and users get at what isn't theirs`,
    },
    "service-account-extend-token-expiration": { when: isTrue, why: "a pod's token stays good for a year" },
    "service-account-lookup": { when: isFalse, why: "tokens of deleted service accounts stay valid" },
    "token-auth-file": { when: () => true, why: "tokens in a file never expire, and are in the clear" },
    "enable-admission-plugins": {
        when: (value) => items(value).includes("AlwaysAdmit"),
        why: "AlwaysAdmit stands for no admission control",
    },
    profiling: { when: isTrue, why: PROFILES },
    "debug-socket-path": { when: (value) => value !== "", why: "profiles are served without authentication" },
    ...WEAK_TLS,
};

/** What may be done with the API server's flags; api-server.ts has those that kubelab sets. */
export const API_SERVER_RULES: FlagRules = {
    owned: {
        serviceCidr: ["service-cluster-ip-range"],
        clusterDomain: ["service-account-issuer"],
        address: ["etcd-servers", "secure-port", "advertise-address", "bind-address"],
        authentication: [
            ...["oidc-issuer-url", "oidc-client-id", "oidc-ca-file", "oidc-required-claim", "oidc-signing-algs"],
            ...["oidc-username-claim", "oidc-username-prefix", "oidc-groups-claim", "oidc-groups-prefix"],
        ],
        authorization: ["authorization-config"],
        file: [
            ...["authentication-config", "encryption-provider-config", "admission-control-config-file"],
            ...["audit-policy-file", "audit-log-path"],
        ],
        identity: [
            ...SERVING,
            "enable-bootstrap-token-auth",
            ...REQUEST_HEADER,
            ...["etcd-cafile", "etcd-certfile", "etcd-keyfile"],
            ...["kubelet-certificate-authority", "kubelet-client-certificate", "kubelet-client-key"],
            ...["service-account-key-file", "service-account-signing-key-file"],
            ...["proxy-client-cert-file", "proxy-client-key-file"],
        ],
    },
    weakening: WEAKENING,
    breaking: {
        "authorization-mode": {
            when: (value) =>
                !items(value).includes("AlwaysAllow") && MODES.some((mode) => !items(value).includes(mode)),
            why: "kubelets and role bindings need the modes Node and RBAC",
        },
        "anonymous-auth": {
            when: (value) => !isTrue(value),
            why: "health checks have no credentials, and reach nothing but the health paths already",
        },
    },
    merged: ["enable-admission-plugins", "feature-gates", "runtime-config", "tls-cipher-suites"],
};
