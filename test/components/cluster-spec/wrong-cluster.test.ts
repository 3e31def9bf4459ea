import { refuses } from "./support";

refuses([
    [
        "name with capitals",
        { name: "My_Lab" },
        ['kubelab:name: "My_Lab" is not an RFC 1123 label; did you mean "my-lab"?'],
    ],
    [
        "name too long",
        { name: "a-name-that-is-longer-than-thirty-two" },
        ['kubelab:name: "a-name-that-is-longer-than-thirty-two" has 37 characters; use at most 32'],
    ],
    [
        "name of only dashes",
        { name: "---" },
        ['kubelab:name: "---" is not an RFC 1123 label; use lower-case letters, digits and "-"'],
    ],
    [
        "stack's name that can't be a lab's",
        {},
        [
            'kubelab:name: "Team.Blue" is not an RFC 1123 label; it is the stack\'s name, so give the lab another one as kubelab:name',
        ],
        "Team.Blue",
    ],
    [
        "network misspelt",
        { network: "kubnet" },
        ['kubelab:network: "kubnet" is not a known value; did you mean "kubenet"?'],
    ],
    [
        "a plugin without what makes, places and addresses its pods",
        { network: "cni", components: { scheduler: false, controllerManager: false, dns: false } },
        [
            'kubelab:components.controllerManager: false is off, and the network "cni" needs it; remove it, or set kubelab:network to "kubenet"',
            'kubelab:components.scheduler: false is off, and the network "cni" needs it; remove it, or set kubelab:network to "kubenet"',
        ],
    ],
    [
        "overlay unknown",
        { overlay: "ipip" },
        ['kubelab:overlay: "ipip" is not a known value; choose one of auto, none, subnet, full'],
    ],
    [
        "plugin unknown",
        { cniPlugin: "calico" },
        ['kubelab:cniPlugin: "calico" is not a known value; choose one of kube-router, flannel'],
    ],
    ["no control plane", { controlPlanes: "0" }, ['kubelab:controlPlanes: "0" is too small; use 1 to 5']],
    [
        "two control planes",
        { controlPlanes: "2" },
        [
            "kubelab:controlPlanes: 2 is even, and etcd survives no more failures with an even number of members than with one fewer; use 1, 3 or 5",
        ],
    ],
    [
        "four control planes",
        { controlPlanes: 4 },
        [
            "kubelab:controlPlanes: 4 is even, and etcd survives no more failures with an even number of members than with one fewer; use 1, 3 or 5",
        ],
    ],
    ["seven control planes", { controlPlanes: 7 }, ["kubelab:controlPlanes: 7 is too large; use 1 to 5"]],
    ["negative workers", { workers: "-1" }, ['kubelab:workers: "-1" is too small; use 0 to 1000']],
    [
        "workers as a word",
        { workers: "two" },
        ['kubelab:workers: "two" is not a whole number; give one between 0 and 1000'],
    ],
    [
        "workers as a fraction",
        { workers: 1.5 },
        ["kubelab:workers: 1.5 is not a whole number; give one between 0 and 1000"],
    ],
    ["too many workers", { workers: "1000000000" }, ['kubelab:workers: "1000000000" is too large; use 0 to 1000']],
    [
        "hosting unknown",
        { hosting: "docker" },
        ['kubelab:hosting: "docker" is not a known value; choose one of systemd, static-pods'],
    ],
    [
        "component misspelt",
        { components: { kube_proxy: false } },
        ['kubelab:components.kube_proxy: false is not a known setting; did you mean "kubeProxy"?'],
    ],
    [
        "the DNS without the service proxy",
        { components: { kubeProxy: false } },
        [
            "kubelab:components.dns: true can't do without the kubeProxy, which is switched off: nothing answers at its service address, nor at the API's, which it calls; set it to false as well",
        ],
    ],
    [
        "the DNS without the scheduler",
        { components: { scheduler: false } },
        [
            "kubelab:components.dns: true can't do without the scheduler, which is switched off: its pods stay Pending; set it to false as well",
        ],
    ],
    [
        "the scheduler and the DNS without the controller manager",
        { components: { controllerManager: false } },
        [
            "kubelab:components.scheduler: true can't do without the controllerManager, which is switched off: a new node keeps its taint not-ready until the node controller takes it away, so nothing is ever scheduled; set it to false, or controllerManager to true",
            "kubelab:components.dns: true can't do without the controllerManager, which is switched off: nothing makes pods of its Deployment; set it to false as well",
        ],
    ],
    [
        "component switch as a text",
        { components: { dns: "off" } },
        ['kubelab:components.dns: "off" is not a switch; use true or false'],
    ],
    [
        "components as a text",
        { components: "none" },
        ['kubelab:components: "none" is not a map; write one setting per line below the key'],
    ],
    [
        "components as a list",
        { components: '["dns"]' },
        ['kubelab:components: ["dns"] is not a map; write one setting per line below the key'],
    ],
    [
        "stopAfter of a part that is switched off",
        { stopAfter: "dns", components: { dns: false } },
        [
            'kubelab:stopAfter: "dns" is no step of this cluster: a component that is switched off, or another kind of network\'s; use one of machines, etcd, api-server, controller-manager, scheduler, containerd, kubelet, bridge, pod-cidrs, routes, network, kube-proxy',
        ],
    ],
    [
        "stopAfter misspelt",
        { stopAfter: "apiserver" },
        ['kubelab:stopAfter: "apiserver" is not a known value; did you mean "api-server"?'],
    ],
    [
        "ipvs without kube-router",
        { serviceProxy: "ipvs" },
        [
            'kubelab:serviceProxy: "ipvs" is kube-router\'s, which isn\'t the pod network; set kubelab:network to "cni" and kubelab:cniPlugin to "kube-router", or use "kube-proxy"',
        ],
    ],
    [
        "ipvs without the module",
        { serviceProxy: "ipvs", network: "cni" },
        [
            'kubelab:serviceProxy: "ipvs" needs ip_vs, which this host\'s kernel lacks; use "kube-proxy", or a host with the ip_vs module',
        ],
    ],
    [
        "ipvs of a role whose machines lack the module",
        { serviceProxy: { controlPlanes: "ipvs", workers: "kube-proxy" }, network: "cni" },
        [
            'kubelab:serviceProxy.controlPlanes: "ipvs" needs ip_vs, which this host\'s kernel lacks; use "kube-proxy", or virtual machines: kubelab:local.driver.controlPlanes "qemu"',
        ],
    ],
    [
        "the service proxy of an unknown role",
        { serviceProxy: { worker: "ipvs" } },
        ['kubelab:serviceProxy: {"worker":"ipvs"} is no map of roles; did you mean "workers"?'],
    ],
    [
        "kube-proxy on and off",
        { serviceProxy: "kube-proxy", components: { kubeProxy: false, dns: false } },
        ['kubelab:serviceProxy: "kube-proxy" is switched off by kubelab:components.kubeProxy; remove one of the two'],
    ],
    [
        "proxy mode",
        { proxyMode: "ipvs" },
        ['kubelab:proxyMode: "ipvs" is not a known value; choose one of nftables, iptables'],
    ],
    [
        "proxy mode misspelt",
        { proxyMode: "nftable" },
        ['kubelab:proxyMode: "nftable" is not a known value; did you mean "nftables"?'],
    ],
    [
        "unknown key misspelt",
        { podCIDR: "10.99.0.0/16" },
        ["kubelab:podCIDR: is not a key of this project; did you mean kubelab:podCidr?"],
    ],
    [
        "unknown key",
        { favouriteColour: "blue" },
        ["kubelab:favouriteColour: is not a key of this project; remove it; the keys are listed in Pulumi.yaml"],
    ],
    [
        "key of a mirror's list",
        { registryMirror: {} },
        ["kubelab:registryMirror: is not a key of this project; did you mean kubelab:registryMirrors?"],
    ],
    [
        "network as a list",
        { network: ["kubenet"] },
        ['kubelab:network: ["kubenet"] is not a known value; choose one of kubenet, cni, bridge'],
    ],
]);
