import { refuses } from "./support";

refuses([
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
        "flag owned: anonymous",
        { flags: { "kube-apiserver": { "anonymous-auth": true } } },
        [
            "kubelab:flags.kube-apiserver.anonymous-auth: true can't be set, because kubelab owns this flag; remove it: anonymous requests are limited to the health paths by a file that excludes this flag",
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
