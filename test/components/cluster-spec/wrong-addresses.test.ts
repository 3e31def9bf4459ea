import { refuses } from "./support";

refuses([
    [
        "pod CIDR with host bits",
        { podCidr: "10.0.0.1/16" },
        ['kubelab:podCidr: "10.0.0.1/16" has host bits set; did you mean 10.0.0.0/16?'],
    ],
    [
        "pod CIDR without prefix",
        { podCidr: "10.99.0.0" },
        ['kubelab:podCidr: "10.99.0.0" has no prefix length; write it like 10.99.0.0/16'],
    ],
    [
        "pod CIDR IPv6",
        { podCidr: "fd00:99::/48" },
        [
            'kubelab:podCidr: "fd00:99::/48" is an IPv6 range, which isn\'t supported; give an IPv4 range such as 10.99.0.0/16',
        ],
    ],
    [
        "pod CIDR dual-stack",
        { podCidr: "10.99.0.0/16,fd00:99::/48" },
        [
            'kubelab:podCidr: "10.99.0.0/16,fd00:99::/48" is more than one range (dual-stack), which isn\'t supported; give one IPv4 range',
        ],
    ],
    [
        "pod CIDR not a range",
        { podCidr: "pods" },
        ['kubelab:podCidr: "pods" is not an IPv4 range; write it like 10.99.0.0/16'],
    ],
    [
        "pod CIDR prefix over 32",
        { podCidr: "10.99.0.0/33" },
        ['kubelab:podCidr: "10.99.0.0/33" has a prefix length of "33"; it must be between 0 and 32'],
    ],
    [
        "pod CIDR octal octet",
        { podCidr: "010.99.0.0/16" },
        ['kubelab:podCidr: "010.99.0.0/16" is not an IPv4 range; write it like 10.99.0.0/16'],
    ],
    [
        "pod CIDR too small for the nodes",
        { podCidr: "10.99.0.0/23" },
        ['kubelab:podCidr: "10.99.0.0/23" is too small for 3 nodes with a /24 each; use a /22 or larger'],
    ],
    [
        "pod CIDR too small for one",
        { podCidr: "10.99.0.0/25" },
        ['kubelab:podCidr: "10.99.0.0/25" is too small for 3 nodes with a /24 each; use a /22 or larger'],
    ],
    [
        "pod CIDR too large",
        { podCidr: "64.0.0.0/7" },
        ['kubelab:podCidr: "64.0.0.0/7" is too large; use a /8 or smaller'],
    ],
    [
        "pod CIDR reserved",
        { podCidr: "169.254.0.0/16" },
        [
            'kubelab:podCidr: "169.254.0.0/16" overlaps the reserved range 169.254.0.0/16; use a private range such as 10.99.0.0/16',
        ],
    ],
    [
        "service CIDR host bits",
        { serviceCidr: "10.32.0.10/24" },
        ['kubelab:serviceCidr: "10.32.0.10/24" has host bits set; did you mean 10.32.0.0/24?'],
    ],
    [
        "service CIDR too large",
        { serviceCidr: "10.16.0.0/11", podCidr: "10.99.0.0/16" },
        ['kubelab:serviceCidr: "10.16.0.0/11" has host bits set; did you mean 10.0.0.0/11?'],
    ],
    [
        "service CIDR too small",
        { serviceCidr: "10.32.0.0/29" },
        [
            'kubelab:serviceCidr: "10.32.0.0/29" is too small to hold the DNS service\'s tenth address; use a /28 or larger',
        ],
    ],
    [
        "service CIDR loopback",
        { serviceCidr: "127.0.0.0/16" },
        [
            'kubelab:serviceCidr: "127.0.0.0/16" overlaps the reserved range 127.0.0.0/8; use a private range such as 10.99.0.0/16',
        ],
    ],
    [
        "pod in service",
        { podCidr: "10.96.0.0/16", serviceCidr: "10.96.0.0/12" },
        ['kubelab:podCidr: "10.96.0.0/16" overlaps kubelab:serviceCidr 10.96.0.0/12; give each a range of its own'],
    ],
    [
        "pod in local network",
        { podCidr: "10.240.0.0/16" },
        ['kubelab:podCidr: "10.240.0.0/16" overlaps kubelab:local.network 10.240.0.0/24; give each a range of its own'],
    ],
    [
        "service in local network",
        { serviceCidr: "10.240.0.128/25" },
        [
            'kubelab:serviceCidr: "10.240.0.128/25" overlaps kubelab:local.network 10.240.0.0/24; give each a range of its own',
        ],
    ],
    [
        "domain with a dot at its end",
        { clusterDomain: "cluster.local." },
        ['kubelab:clusterDomain: "cluster.local." is not a DNS domain; did you mean "cluster.local"?'],
    ],
    [
        "domain in capitals",
        { clusterDomain: "Cluster.Local" },
        ['kubelab:clusterDomain: "Cluster.Local" is not a DNS domain; did you mean "cluster.local"?'],
    ],
    [
        "local network public",
        { local: { network: "11.0.0.0/24" } },
        [
            'kubelab:local.network: "11.0.0.0/24" is not a private range; use one inside 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16',
        ],
    ],
    [
        "local network too small",
        { local: { network: "10.240.0.0/27" }, workers: 11 },
        [
            'kubelab:local.network: "10.240.0.0/27" is too small for 11 workers beside the control planes; use a /26 or larger',
        ],
    ],
    [
        "local network host bits",
        { local: '{"network":"10.240.0.1/24"}' },
        ['kubelab:local.network: "10.240.0.1/24" has host bits set; did you mean 10.240.0.0/24?'],
    ],
]);
