import { type FlagRules, isFalse, isTrue, PROFILES, WEAK_TLS } from "../steps/flag-rules";
import { PORTS } from "../cluster-spec/ports";

/** What may be done with etcd's flags; etcd.ts has those that kubelab sets. */
export const ETCD_RULES: FlagRules = {
    owned: {
        data: ["data-dir"],
        file: ["config-file"],
        address: [
            "listen-client-urls",
            "advertise-client-urls",
            "listen-peer-urls",
            "initial-advertise-peer-urls",
            "listen-metrics-urls",
            "listen-client-http-urls",
        ],
        members: ["name", "initial-cluster", "initial-cluster-token", "initial-cluster-state", "force-new-cluster"],
        identity: [
            ...["trusted-ca-file", "cert-file", "key-file", "auto-tls", "client-cert-file", "client-key-file"],
            ...["peer-trusted-ca-file", "peer-cert-file", "peer-key-file", "peer-auto-tls"],
        ],
    },
    weakening: {
        "client-cert-auth": {
            when: isFalse,
            why: `whoever reaches port ${PORTS.etcdClient} reads and writes all of the cluster`,
        },
        "peer-client-cert-auth": { when: isFalse, why: `whoever reaches port ${PORTS.etcdPeer} can join as a member` },
        "enable-pprof": { when: isTrue, why: PROFILES },
        ...WEAK_TLS,
    },
    merged: ["feature-gates"],
};
