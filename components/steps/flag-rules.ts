/** The remedy for a flag that the user must not set. */
export const OWNERS = {
    podCidr: "change kubelab:podCidr instead, so that routes, nodes and flags agree",
    serviceCidr: "change kubelab:serviceCidr instead, so that the certificate and every component agree",
    clusterDomain: "change kubelab:clusterDomain instead, so that DNS, kubelets and certificates agree",
    proxyMode: "change kubelab:proxyMode instead",
    identity: "remove it: the keys and certificates that it names are made and renewed by kubelab",
    address: "remove it: certificates, kubeconfigs and health checks name the address and port",
    node: "remove it: the certificate names the node, and the API server admits it by that name",
    registration: "remove it: `up` waits until the node has registered and takes pods",
    runtime: "remove it: containerd and the kubelet must agree on it",
    members: "remove it: members find each other by it",
    data: "remove it: the data directory and its owner are made before the process starts",
    file: "remove it: it names a file that kubelab writes",
    authentication: "remove it: authentication.yaml, which kubelab writes, excludes this flag",
    authorization: "remove it, and use authorization-mode: the two exclude each other",
    cloud: "remove it: no cloud controller manager runs here, and nodes would wait for one",
    ends: "remove it: the process would print something and end",
    configured: "remove it: the process reads a configuration file, and ignores this flag beside it",
} as const;

type Owner = keyof typeof OWNERS;

/** Values of a flag that have a bad effect. */
export interface ValueRule {
    readonly when: (value: string) => boolean;
    /** What follows: "every request is allowed". */
    readonly why: string;
}

/** What may be done with the flags of a component. It stands beside the flags themselves. */
export interface FlagRules {
    /** Set from the spec, the machines or the certificates, or useless: never the user's. */
    readonly owned: Readonly<Partial<Record<Owner, readonly string[]>>>;
    /** Values that weaken the cluster, by flag; refused unless `kubelab:allowInsecure` names it. */
    readonly weakening: Readonly<Record<string, ValueRule>>;
    /** Values that no cluster of kubelab's comes up with, by flag. */
    readonly breaking?: Readonly<Record<string, ValueRule>>;
    /** Flags whose value the user's is added to: comma-separated items, or `key=value` pairs. */
    readonly merged?: readonly string[];
    /** With a configuration file the process reads these flags only, of those that aren't owned. */
    readonly only?: RegExp;
}

export const KUBECONFIGS = ["kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig"];
export const SERVING = ["client-ca-file", "tls-cert-file", "tls-private-key-file"];
export const REQUEST_HEADER = [
    "requestheader-client-ca-file",
    "requestheader-allowed-names",
    "requestheader-username-headers",
    "requestheader-group-headers",
    "requestheader-extra-headers-prefix",
];
/** https://kubernetes.io/docs/concepts/cluster-administration/system-logs/ */
export const LOGGING = /^(v|vmodule|log-.*|logging-format)$/;

/** Flags that print and end. */
const ENDING = ["help", "version", "write-config-to", "cleanup", "init-only"];

/** The remedy for setting the flag, or undefined where the user may set it. */
export function refuseOwnedFlag({ owned, only }: FlagRules, flag: string): string | undefined {
    const owners = Object.keys(owned) as Owner[];
    const owner = owners.find((name) => owned[name]?.includes(flag));
    if (owner !== undefined || ENDING.includes(flag)) {
        return OWNERS[owner ?? "ends"];
    }
    return only === undefined || only.test(flag) ? undefined : OWNERS.configured;
}

/** The items of a comma-separated value. */
export function items(value: string): string[] {
    return value
        .split(",")
        .map((item) => item.trim().replace(/^"(.*)"$/, "$1"))
        .filter((item) => item !== "");
}

/** `ours` with the items of `own` behind it; of `key=value` pairs, the later one counts. */
export function mergeItems(ours: string, own: string): string {
    const key = (item: string): string => item.split("=")[0] ?? "";
    const added = items(own);
    const kept = items(ours).filter((item) => !added.some((other) => key(other) === key(item)));
    return [...kept, ...added].join(",");
}

/** As Go's strconv.ParseBool reads a flag. */
export const isTrue = (value: string): boolean => /^(1|t|true)$/i.test(value);
export const isFalse = (value: string): boolean => /^(0|f|false)$/i.test(value);

/** What a process says of its memory. */
export const PROFILES = "profiles, which may have keys in them, are served";

const FROM_12 = /^(VersionTLS1[23]|TLS1\.[23])$/;

/** Of all that serve TLS. */
export const WEAK_TLS: Readonly<Record<string, ValueRule>> = {
    "tls-min-version": {
        when: (value) => value !== "" && !FROM_12.test(value),
        why: "connections with TLS before 1.2 are taken",
    },
    // Go's list of insecure cipher suites: https://pkg.go.dev/crypto/tls#InsecureCipherSuites
    "tls-cipher-suites": {
        when: (value) => items(value).some((suite) => /^TLS_RSA_|_RC4_|3DES|_CBC_SHA256/.test(suite)),
        why: "cipher suites are allowed that Go calls insecure",
    },
};

/** Of those that ask the API server who may call them. */
export const OPEN_PATHS: Readonly<Record<string, ValueRule>> = {
    "authorization-always-allow-paths": {
        when: (value) => items(value).some((path) => !["/healthz", "/readyz", "/livez"].includes(path)),
        why: "paths beside the health checks answer without authorization",
    },
};
