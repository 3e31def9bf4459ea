import { refuses } from "./support";

const HOSTS = {
    provider: "hosts",
    hosts: [11, 12, 13].map((last) => ({
        role: "control-plane",
        address: `192.168.1.${last}`,
        keyFile: "/root/key",
        hostKey: "ssh-ed25519 AAAA",
    })),
};

refuses([
    [
        "provider misspelt",
        { provider: "locl" },
        ['kubelab:provider: "locl" is not a known value; did you mean "local"?'],
    ],
    [
        "provider unknown",
        { provider: "azure" },
        ['kubelab:provider: "azure" is not a known value; choose one of local, aws, hosts'],
    ],
    [
        "aws without who may reach it",
        { provider: "aws" },
        [
            "kubelab:aws.allowedCidrs: is missing, and the provider is aws; list the ranges that may reach SSH and the API server, e.g. your own address: [203.0.113.7/32]",
        ],
    ],
    [
        "hosts without a list",
        { provider: "hosts" },
        [
            "kubelab:hosts: is empty, and the provider is hosts; list every machine with its role, address, keyFile and hostKey",
        ],
    ],
    [
        "local port",
        { local: { registryPort: 70000 } },
        ["kubelab:local.registryPort: 70000 is too large; use 1 to 65535"],
    ],
    [
        "local setting misspelt",
        { local: { registryport: 5001 } },
        ['kubelab:local.registryport: 5001 is not a known setting; did you mean "registryPort"?'],
    ],
    [
        "aws architecture",
        { provider: "aws", aws: { allowedCidrs: ["203.0.113.7/32"], architecture: "x86_64" } },
        ['kubelab:aws.architecture: "x86_64" is not a known value; choose one of amd64, arm64'],
    ],
    [
        "aws network",
        { provider: "aws", aws: { allowedCidrs: ["203.0.113.7/32"], network: "10.99.0.0/16" } },
        ['kubelab:podCidr: "10.99.0.0/16" overlaps kubelab:aws.network 10.99.0.0/16; give each a range of its own'],
    ],
    [
        "three control planes on AWS without a load balancer",
        { provider: "aws", controlPlanes: 3, aws: { allowedCidrs: ["203.0.113.7/32"], loadBalancer: false } },
        ["kubelab:aws.loadBalancer: false is off, and 3 control planes have no other address in common; remove it"],
    ],
    [
        "hosts with three control planes and no address for all of them",
        HOSTS,
        [
            'kubelab:apiEndpoint: is missing, and kubelab:hosts lists 3 control planes: the API needs an address that outlives one of them; give a free address of their subnet, {address: "192.168.1.5"}, or a load balancer of your own, {loadBalancer: "lb.example:6443"}',
        ],
    ],
    [
        "an endpoint that is a host's own address",
        { ...HOSTS, apiEndpoint: { address: "192.168.1.12" } },
        [
            'kubelab:apiEndpoint.address: "192.168.1.12" is the address of cp-2, and this one moves between the control planes; choose a free address of the control planes\' subnet, which no DHCP server gives to anybody',
        ],
    ],
    [
        "an endpoint among the services",
        { ...HOSTS, apiEndpoint: { address: "10.32.0.5" } },
        [
            'kubelab:apiEndpoint.address: "10.32.0.5" lies in kubelab:serviceCidr 10.32.0.0/24; choose a free address of the control planes\' subnet, which no DHCP server gives to anybody',
        ],
    ],
    [
        "two endpoints",
        { ...HOSTS, apiEndpoint: { address: "192.168.1.5", loadBalancer: "lb.example" } },
        [
            'kubelab:apiEndpoint: {"address":"192.168.1.5","loadBalancer":"lb.example"} has both address and loadBalancer; remove one: the API has one endpoint',
        ],
    ],
    [
        "a load balancer as a URL",
        { ...HOSTS, apiEndpoint: { loadBalancer: "https://lb.example:6443" } },
        [
            'kubelab:apiEndpoint.loadBalancer: "https://lb.example:6443" is not a host with a port; write it like lb.example:6443 or 192.168.1.5',
        ],
    ],
    [
        "hosts as a map",
        { provider: "hosts", hosts: { a: 1 } },
        ['kubelab:hosts: {"a":1} is not a list; write one entry per line below the key, each after "- "'],
    ],
    [
        "host without key",
        { provider: "hosts", hosts: [{ role: "control-plane", address: "192.168.1.10", hostKey: "ssh-ed25519 AAAA" }] },
        ["kubelab:hosts[0].keyFile: is missing; add it as a text"],
    ],
    [
        "host role",
        {
            provider: "hosts",
            hosts: [{ role: "master", address: "192.168.1.10", keyFile: "/root/key", hostKey: "ssh-ed25519 AAAA" }],
        },
        ['kubelab:hosts[0].role: "master" is not a known value; choose one of control-plane, worker'],
    ],
    [
        "host key",
        {
            provider: "hosts",
            hosts: [{ role: "control-plane", address: "192.168.1.10", keyFile: "/root/key", hostKey: "AAAA" }],
        },
        [
            'kubelab:hosts[0].hostKey: "AAAA" is not an OpenSSH public key; write it like "ssh-ed25519 AAAA…", see /etc/ssh/ssh_host_ed25519_key.pub',
        ],
    ],
    [
        "host address",
        {
            provider: "hosts",
            hosts: [
                { role: "control-plane", address: "192.168.1.300", keyFile: "/root/key", hostKey: "ssh-ed25519 AAAA" },
            ],
        },
        [
            'kubelab:hosts[0].address: "192.168.1.300" is not an IPv4 address or host name; write it like 192.168.1.10 or node.example',
        ],
    ],
    [
        "host setting misspelt",
        {
            provider: "hosts",
            hosts: [
                {
                    role: "control-plane",
                    address: "192.168.1.10",
                    keyFile: "/root/key",
                    hostKey: "ssh-ed25519 AAAA",
                    keyfile: "/root/key",
                },
            ],
        },
        ['kubelab:hosts[0].keyfile: "/root/key" is not a known setting; did you mean "keyFile"?'],
    ],
    [
        "host by name without private address",
        {
            provider: "hosts",
            hosts: [
                { role: "control-plane", address: "node.example", keyFile: "/root/key", hostKey: "ssh-ed25519 AAAA" },
            ],
        },
        [
            "kubelab:hosts[0].privateAddress: is missing, and node.example is a name; give the IPv4 address that the other nodes reach it by",
        ],
    ],
    [
        "host in the pod CIDR",
        {
            provider: "hosts",
            hosts: [
                { role: "control-plane", address: "10.99.1.10", keyFile: "/root/key", hostKey: "ssh-ed25519 AAAA" },
            ],
        },
        [
            'kubelab:hosts[0].address: "10.99.1.10" lies in kubelab:podCidr 10.99.0.0/16; choose a podCidr that no machine is in',
        ],
    ],
    [
        "hosts with one address",
        {
            provider: "hosts",
            hosts: [
                { role: "control-plane", address: "192.168.1.10", keyFile: "/root/key", hostKey: "ssh-ed25519 AAAA" },
                { role: "worker", address: "192.168.1.10", keyFile: "/root/key", hostKey: "ssh-ed25519 AAAA" },
            ],
        },
        ['kubelab:hosts[1].address: "192.168.1.10" is the address of hosts[0] too; every machine needs its own'],
    ],
    [
        "hosts without control plane",
        {
            provider: "hosts",
            hosts: [{ role: "worker", address: "192.168.1.10", keyFile: "/root/key", hostKey: "ssh-ed25519 AAAA" }],
        },
        ["kubelab:hosts: lists 0 control planes, and etcd needs an odd number; list 1, 3 or 5"],
    ],
    [
        "aws reach with host bits",
        { provider: "aws", aws: { allowedCidrs: ["203.0.113.7/24"] } },
        ['kubelab:aws.allowedCidrs[0]: "203.0.113.7/24" has host bits set; did you mean 203.0.113.0/24?'],
    ],
]);
