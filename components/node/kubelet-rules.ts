import { type FlagRules, isFalse, isTrue, items, SERVING, WEAK_TLS } from "../steps/flag-rules";
import { PORTS } from "../cluster-spec/ports";

/** What may be done with the kubelet's flags; kubelet.ts has those that kubelab sets, and its configuration file. */
export const KUBELET_RULES: FlagRules = {
    owned: {
        podCidr: ["pod-cidr"],
        serviceCidr: ["cluster-dns"],
        clusterDomain: ["cluster-domain"],
        file: ["config", "pod-manifest-path"],
        node: ["hostname-override", "node-ip"],
        registration: ["register-node", "register-with-taints", "register-schedulable"],
        runtime: ["container-runtime-endpoint", "image-service-endpoint", "cgroup-driver"],
        address: ["port", "healthz-port", "healthz-bind-address"],
        cloud: ["cloud-provider", "cloud-config"],
        identity: [
            ...["kubeconfig", "bootstrap-kubeconfig", "cert-dir", "rotate-certificates", "rotate-server-certificates"],
            ...SERVING,
        ],
    },
    weakening: {
        "anonymous-auth": { when: isTrue, why: `whoever reaches port ${PORTS.kubelet} is somebody to the kubelet` },
        "authorization-mode": {
            when: (value) => value !== "Webhook",
            why: "whoever the kubelet knows may run commands in every pod of the node",
        },
        "read-only-port": {
            when: (value) => value !== "0",
            why: "pods, their environment and logs' names are served without authentication",
        },
        "allowed-unsafe-sysctls": {
            when: (value) => items(value).length > 0,
            why: "pods set kernel settings that others on the node feel",
        },
        "seccomp-default": { when: isFalse, why: "pods that name no profile may make every system call" },
        "pod-max-pids": {
            when: (value) => value.startsWith("-"),
            why: "a pod may take all process ids of its node",
        },
        "streaming-connection-idle-timeout": {
            when: (value) => /^0+[a-z]*$/.test(value),
            why: "exec and port-forward sessions that nobody uses stay open for ever",
        },
        ...WEAK_TLS,
    },
    merged: ["feature-gates"],
};
