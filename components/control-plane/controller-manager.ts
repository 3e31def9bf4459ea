import * as pulumi from "@pulumi/pulumi";
import { Component } from "../component";
import { flag, type Process, withOverrides } from "../steps/process";
import { CredentialFiles } from "../pki/files";
import type { ClusterSpec } from "../cluster-spec/types";
import { hosted } from "./hosted";
import type { ControlPlaneServiceArgs } from "./service-args";
import { CONTROLLER_MANAGER_RULES } from "./controller-manager-rules";
import { PORTS } from "../cluster-spec/ports";

const USER = "kube-controller-manager";
const DIRECTORY = "/etc/kubernetes/kube-controller-manager";

/** Where kubelets ask for their certificates. */
const SIGNING = [
    flag(
        "cluster-signing-duration",
        "168h",
        "kubelets renew theirs by themselves; that of a node which was removed ends within a week",
    ),
    flag("controllers", "*,token-cleaner-controller", "expired bootstrap tokens go"),
];

/** https://kubernetes.io/docs/reference/command-line-tools-reference/kube-controller-manager/ */
export function controllerManagerProcess(spec: ClusterSpec): Process {
    const file = (name: string): string => `${DIRECTORY}/${name}`;
    return {
        name: "kube-controller-manager",
        description: "Kubernetes controller manager",
        documentation: "https://kubernetes.io/docs/reference/command-line-tools-reference/kube-controller-manager/",
        user: USER,
        type: "exec",
        after: ["kube-apiserver"],
        flags: withOverrides(
            [
                flag("kubeconfig", file("kube-controller-manager.conf")),
                flag("authentication-kubeconfig", file("kube-controller-manager.conf")),
                flag("authorization-kubeconfig", file("kube-controller-manager.conf")),
                flag("bind-address", "127.0.0.1"),
                flag("tls-cert-file", file("server.crt")),
                flag("tls-private-key-file", file("server.key")),
                flag("client-ca-file", file("ca.crt")),
                flag("requestheader-client-ca-file", file("front-proxy-ca.crt")),
                flag("use-service-account-credentials", true, "each controller has the rights of its own role only"),
                flag("service-account-private-key-file", file("service-accounts.key")),
                flag("root-ca-file", file("ca.crt")),
                flag("cluster-signing-cert-file", file("signing-ca.crt")),
                flag("cluster-signing-key-file", file("ca.key")),
                ...(spec.nodeCertificates === "bootstrap" ? SIGNING : []),
                flag("service-cluster-ip-range", spec.serviceCidr),
                ...podCidrFlags(spec),
                flag(
                    "leader-elect",
                    spec.highlyAvailable,
                    spec.highlyAvailable
                        ? "one of them acts; another one takes over when it doesn't renew its lease"
                        : "with one there is no other instance to wait for after a restart",
                ),
                flag(
                    "kube-api-qps",
                    500,
                    "the default of 20 makes the first pods wait for controllers that all start together",
                ),
                flag("kube-api-burst", 1000),
                flag("profiling", false),
            ],
            spec.flags["kube-controller-manager"],
            CONTROLLER_MANAGER_RULES.merged,
        ),
        health: `curl -sf --max-time 5 --cacert ${file("ca.crt")} https://127.0.0.1:${PORTS.controllerManager}/healthz`,
        healthDeadline: 90,
        pod: {
            image: `registry.k8s.io/kube-controller-manager:v${spec.versions.kubernetes}`,
            directory: DIRECTORY,
            probe: { scheme: "HTTPS", port: PORTS.controllerManager, live: "/healthz", ready: "/healthz" },
            cpu: "200m",
            memory: "64Mi",
        },
    };
}

/** Who gives nodes their pod CIDR: the spec itself for kubenet, the controller manager for CNI plugins that ask for it. */
function podCidrFlags(spec: ClusterSpec): ReturnType<typeof flag>[] {
    switch (spec.network) {
        case "kubenet":
        case "bridge":
            return [flag("allocate-node-cidrs", false, "a node's pod CIDR is in the spec, as its routes are")];
        case "cni":
            return [
                flag("allocate-node-cidrs", true),
                flag("cluster-cidr", spec.podCidr),
                flag("node-cidr-mask-size", 24),
            ];
    }
}

export class ControllerManager extends Component {
    readonly ready: pulumi.Resource;

    constructor(args: ControlPlaneServiceArgs, parent: Component) {
        super("kubelab:control-plane:ControllerManager", parent.nameOf("kube-controller-manager"), { parent });
        const { machine, spec, pki } = args;
        const files = new CredentialFiles(DIRECTORY, USER);
        this.ready = hosted(
            {
                ...args,
                name: "kube-controller-manager",
                user: USER,
                process: controllerManagerProcess(spec),
                // Certificate and key in one step: it doesn't start with those of two authorities.
                secretFiles: pulumi.all([
                    files.certificate("signing-ca", pki.kubernetes.signer.certPem),
                    files.key("ca", pki.kubernetes.signer.keyPem),
                    files.key("service-accounts", pki.serviceAccounts.signing),
                ]),
                files: pulumi.all([
                    files.certificate("ca", pki.kubernetes.trusted),
                    files.certificate("front-proxy-ca", pki.frontProxy.trusted),
                    ...files.pair("server", pki.certificate(machine, "kube-controller-manager-server", this)),
                    ...files.kubeconfig("kube-controller-manager", {
                        spec,
                        pki,
                        server: `https://127.0.0.1:${spec.api.port}`,
                        user: "system:kube-controller-manager",
                        certificate: pki.certificate(machine, "kube-controller-manager", this),
                    }),
                ]),
            },
            this,
        );
        this.registerOutputs({ ready: this.ready });
    }
}
