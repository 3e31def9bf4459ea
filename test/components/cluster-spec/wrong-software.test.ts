import { refuses } from "./support";

refuses([
    [
        "snapshots without a time",
        { backup: { keep: 3 } },
        ["kubelab:backup.every: is missing, so that no snapshot is taken; add it, 6h say, or remove kubelab:backup"],
    ],
    [
        "snapshots at other times every day, none that stay, and in somebody else's directory",
        { backup: { every: "5h", keep: 0, directory: "/var/lib/etcd/member" } },
        [
            'kubelab:backup.every: "5h" is no time between snapshots; use one of 1m, 2m, 3m, 4m, 5m, 6m, 10m, 12m, 15m, 20m, 30m, 1h, 2h, 3h, 4h, 6h, 8h, 12h, 1d',
            "kubelab:backup.keep: 0 is too small; use 1 to 1000",
            'kubelab:backup.directory: "/var/lib/etcd/member" is in a directory of something else; use one such as /var/lib/etcd-backup/snapshots',
        ],
    ],
    [
        "a directory for snapshots that has more in it",
        { backup: { every: "6h", directory: "/srv" } },
        ['kubelab:backup.directory: "/srv" is no directory of its own; use one in it: /srv/etcd'],
    ],
    [
        "a directory for snapshots with a blank",
        { backup: { every: "6h", directory: "/srv/my etcd" } },
        [
            'kubelab:backup.directory: "/srv/my etcd" is not a plain path; use letters, digits, ".", "_" and "-" between the slashes',
        ],
    ],
    [
        "version with v",
        { versions: { kubernetes: "v1.36.3" } },
        ['kubelab:versions.kubernetes: "v1.36.3" is not a version; did you mean "1.36.3"?'],
    ],
    [
        "version as a number",
        { versions: '{"pause":3.1}' },
        ["kubelab:versions.pause: 3.1 is not a text; write a text, in quotes where it looks like a number"],
    ],
    [
        "version of a channel",
        { versions: { etcd: "latest" } },
        ['kubelab:versions.etcd: "latest" is not a version; write it like 1.36.3'],
    ],
    [
        "version of an unknown part",
        { versions: { kubernets: "1.36.3" } },
        ['kubelab:versions.kubernets: "1.36.3" is not a known setting; did you mean "kubernetes"?'],
    ],
    [
        "versions that nobody has heard of",
        { versions: { kubernetes: "9.9.9", etcd: "9.9.9", containerd: "1.7.0" } },
        [
            'kubelab:versions.kubernetes: "9.9.9" is another major version than the pinned 1.36.3, which kubelab is written for; use 1.34 to 1.36: https://kubernetes.io/releases/version-skew-policy/',
            'kubelab:versions.etcd: "9.9.9" is another major version than the pinned 3.7.3, which kubelab is written for; use 3.x, e.g. the pinned 3.7.3',
            'kubelab:versions.containerd: "1.7.0" is another major version than the pinned 2.4.2, which kubelab is written for; use 2.x, e.g. the pinned 2.4.2',
        ],
    ],
    [
        "a Kubernetes that is too old or too new",
        { versions: { kubernetes: "1.33.9" } },
        [
            'kubelab:versions.kubernetes: "1.33.9" lacks flags and APIs that kubelab uses; use 1.34 to 1.36: https://kubernetes.io/releases/version-skew-policy/',
        ],
    ],
    [
        "a version that the source doesn't make",
        { versions: { kubernetes: "1.36.2", etcd: "3.7.3" }, parts: { source: "build" } },
        [
            'kubelab:versions.kubernetes: "1.36.2" can\'t be built: the source "build" makes the pinned 1.36.3 only; remove it, or set kubelab:parts.source to "download" or "directory"',
        ],
    ],
    [
        "flags of an unknown component",
        { flags: { "kube-api-server": { v: "4" } } },
        ['kubelab:flags.kube-api-server: {"v":"4"} is not a known setting; did you mean "kube-apiserver"?'],
    ],
    [
        "flags as texts",
        { flags: { kubelet: "--v=4" } },
        ['kubelab:flags.kubelet: "--v=4" is not a map; write one setting per line below the key'],
    ],
    [
        "flag with dashes",
        { flags: { kubelet: { "--v": "4" } } },
        ['kubelab:flags.kubelet.--v: "4" has a key that is not the name of a flag; did you mean "v"?'],
    ],
    [
        "flag with a list",
        { flags: { kubelet: { v: ["4"] } } },
        ['kubelab:flags.kubelet.v: ["4"] is not a text; write a text, in quotes where it looks like a number'],
    ],
    [
        "flag with a line break",
        { flags: { kubelet: { v: "4\nExecStartPost=/bin/sh" } } },
        [
            'kubelab:flags.kubelet.v: "4\\nExecStartPost=/bin/sh" has a line break or control character in it; write it on one line',
        ],
    ],
    [
        "flag owned: service range",
        { flags: { "kube-apiserver": { "service-cluster-ip-range": "10.0.0.0/16" } } },
        [
            'kubelab:flags.kube-apiserver.service-cluster-ip-range: "10.0.0.0/16" can\'t be set, because kubelab owns this flag; change kubelab:serviceCidr instead, so that the certificate and every component agree',
        ],
    ],
    [
        "flag owned: pod CIDR",
        { flags: { "kube-controller-manager": { "cluster-cidr": "10.0.0.0/16" } } },
        [
            'kubelab:flags.kube-controller-manager.cluster-cidr: "10.0.0.0/16" can\'t be set, because kubelab owns this flag; change kubelab:podCidr instead, so that routes, nodes and flags agree',
        ],
    ],
    [
        "flag owned: etcd",
        { flags: { "kube-apiserver": { "etcd-servers": "http://127.0.0.1:2379" } } },
        [
            'kubelab:flags.kube-apiserver.etcd-servers: "http://127.0.0.1:2379" can\'t be set, because kubelab owns this flag; remove it: certificates, kubeconfigs and health checks name the address and port',
        ],
    ],
    [
        "flag owned: CA",
        { flags: { "kube-scheduler": { "client-ca-file": "/tmp/ca" } } },
        [
            'kubelab:flags.kube-scheduler.client-ca-file: "/tmp/ca" can\'t be set, because kubelab owns this flag; remove it: the keys and certificates that it names are made and renewed by kubelab',
        ],
    ],
    [
        "flag owned: proxy mode",
        { flags: { "kube-proxy": { "proxy-mode": "iptables" } } },
        [
            'kubelab:flags.kube-proxy.proxy-mode: "iptables" can\'t be set, because kubelab owns this flag; change kubelab:proxyMode instead',
        ],
    ],
    [
        "flags that weaken the cluster",
        {
            flags: {
                etcd: { "client-cert-auth": false },
                "kube-apiserver": {
                    "anonymous-auth": true,
                    "authorization-mode": "AlwaysAllow",
                    "disable-admission-plugins": "NodeRestriction, ServiceAccount",
                    "tls-min-version": "VersionTLS10",
                },
                kubelet: { "anonymous-auth": true, "authorization-mode": "AlwaysAllow", "read-only-port": 10255 },
            },
        },
        [
            'kubelab:flags.etcd.client-cert-auth: "false" weakens the cluster: whoever reaches port 2379 reads and writes all of the cluster; remove it, or list client-cert-auth in kubelab:allowInsecure',
            'kubelab:flags.kube-apiserver.anonymous-auth: "true" weakens the cluster: requests without credentials reach more than the health paths; remove it, or list anonymous-auth in kubelab:allowInsecure',
            'kubelab:flags.kube-apiserver.authorization-mode: "AlwaysAllow" weakens the cluster: AlwaysAllow allows every request; remove it, or list authorization-mode in kubelab:allowInsecure',
            'kubelab:flags.kube-apiserver.disable-admission-plugins: "NodeRestriction, ServiceAccount" weakens the cluster: without NodeRestriction, ServiceAccount, PodSecurity and their like, kubelets and users get at what isn\'t theirs; remove it, or list disable-admission-plugins in kubelab:allowInsecure',
            'kubelab:flags.kube-apiserver.tls-min-version: "VersionTLS10" weakens the cluster: connections with TLS before 1.2 are taken; remove it, or list tls-min-version in kubelab:allowInsecure',
            'kubelab:flags.kubelet.anonymous-auth: "true" weakens the cluster: whoever reaches port 10250 is somebody to the kubelet; remove it, or list anonymous-auth in kubelab:allowInsecure',
            'kubelab:flags.kubelet.authorization-mode: "AlwaysAllow" weakens the cluster: whoever the kubelet knows may run commands in every pod of the node; remove it, or list authorization-mode in kubelab:allowInsecure',
            'kubelab:flags.kubelet.read-only-port: "10255" weakens the cluster: pods, their environment and logs\' names are served without authentication; remove it, or list read-only-port in kubelab:allowInsecure',
        ],
    ],
    [
        "what is allowed though nothing asks for it",
        { allowInsecure: ["anonymous-auth"], flags: { kubelet: { "anonymous-auth": "false" } } },
        [
            'kubelab:allowInsecure[0]: "anonymous-auth" allows nothing: no flag of that name in kubelab:flags weakens the cluster; remove it',
        ],
    ],
    [
        "flags that no cluster comes up with, or that end their process",
        {
            flags: {
                "kube-apiserver": { "authorization-mode": "RBAC", "anonymous-auth": "false" },
                kubelet: { "register-node": "false", version: "true" },
            },
            allowInsecure: [],
        },
        [
            'kubelab:flags.kubelet.register-node: "false" can\'t be set, because kubelab owns this flag; remove it: `up` waits until the node has registered and takes pods',
            'kubelab:flags.kubelet.version: "true" can\'t be set, because kubelab owns this flag; remove it: the process would print something and end',
        ],
    ],
    [
        "modes without those that the cluster needs",
        { flags: { "kube-apiserver": { "authorization-mode": "RBAC", "anonymous-auth": "false" } } },
        [
            'kubelab:flags.kube-apiserver.authorization-mode: "RBAC" can\'t be: kubelets and role bindings need the modes Node and RBAC; remove it',
            'kubelab:flags.kube-apiserver.anonymous-auth: "false" can\'t be: health checks have no credentials, and reach nothing but the health paths already; remove it',
        ],
    ],
    [
        "flags that a process ignores beside its configuration file",
        { flags: { "kube-proxy": { "nodeport-addresses": "primary" }, "kube-scheduler": { profiling: "true" } } },
        [
            'kubelab:flags.kube-scheduler.profiling: "true" can\'t be set, because kubelab owns this flag; remove it: the process reads a configuration file, and ignores this flag beside it',
            'kubelab:flags.kube-proxy.nodeport-addresses: "primary" can\'t be set, because kubelab owns this flag; remove it: the process reads a configuration file, and ignores this flag beside it',
        ],
    ],
    [
        "mirror without a URL",
        { registryMirrors: { "docker.io": [] } },
        ["kubelab:registryMirrors.docker.io: [] is empty; give at least one, or remove the key"],
    ],
    [
        "mirror as one text",
        { registryMirrors: { "docker.io": "https://mirror.example" } },
        [
            'kubelab:registryMirrors.docker.io: "https://mirror.example" is not a list; write one entry per line below the key, each after "- "',
        ],
    ],
    [
        "mirror not a URL",
        { registryMirrors: { "docker.io": ["mirror.example:5000"] } },
        [
            'kubelab:registryMirrors.docker.io[0]: "mirror.example:5000" is not an http or https URL; write it like https://mirror.example:5000',
        ],
    ],
    [
        "mirror with a password",
        { registryMirrors: { "docker.io": ["https://ann:secret@mirror.example"] } },
        [
            'kubelab:registryMirrors.docker.io[0]: "https://…@mirror.example" has credentials in it; remove them: the stack config is readable',
        ],
    ],
    [
        "mirror for a URL",
        { registryMirrors: { "https://docker.io/v2": ["https://mirror.example"] } },
        [
            'kubelab:registryMirrors.https://docker.io/v2: ["https://mirror.example"] has a key that is not the host of a registry; did you mean "docker.io"?',
        ],
    ],
    [
        "parts without directory",
        { parts: { source: "directory" } },
        ['kubelab:parts.directory: is missing for the source "directory"; give the absolute path of a parts directory'],
    ],
    [
        "parts directory not read",
        { parts: { directory: "/srv/parts" } },
        [
            'kubelab:parts.directory: "/srv/parts" isn\'t read with the source "auto"; remove it, or set kubelab:parts.source to "directory"',
        ],
    ],
    [
        "parts directory relative",
        { parts: { source: "directory", directory: "./parts" } },
        ['kubelab:parts.directory: "./parts" is not an absolute path; start it with "/"'],
    ],
    [
        "parts source misspelt",
        { parts: { source: "biuld" } },
        ['kubelab:parts.source: "biuld" is not a known value; did you mean "build"?'],
    ],
    [
        "two of a kind of flag problem",
        { flags: { kubelet: { "--v": "4", config: "x" } } },
        [
            'kubelab:flags.kubelet.--v: "4" has a key that is not the name of a flag; did you mean "v"?',
            'kubelab:flags.kubelet.config: "x" can\'t be set, because kubelab owns this flag; remove it: it names a file that kubelab writes',
        ],
    ],
]);
