import * as pulumi from "@pulumi/pulumi";
import { stringify } from "yaml";
import { Component } from "../component";
import { flag, type Process, withOverrides } from "../steps/process";
import type { HostFile } from "../steps/script";
import { service } from "../steps/service";
import type { MachineFacts } from "../machines/machine";
import { CredentialFiles } from "../pki/files";
import type { ClusterSpec, Role } from "../cluster-spec/types";
import { controlPlaneFile, type NodeServiceArgs } from "./service-args";
import { KUBELET_RULES } from "./kubelet-rules";
import { PORTS } from "../cluster-spec/ports";

const DIRECTORY = "/etc/kubernetes/kubelet";
const RESOLV_CONF = `${DIRECTORY}/resolv.conf`;
/** The kubelet runs what is in here without asking an API server. */
const STATIC_PODS = "/etc/kubernetes/manifests";

function runsStaticPods(spec: ClusterSpec, role: Role): boolean {
    return spec.hosting === "static-pods" && role === "control-plane";
}

/**
 * https://kubernetes.io/docs/reference/command-line-tools-reference/kubelet/
 *
 * @param address the machine's address between nodes: the node's InternalIP.
 */
export function kubeletProcess(spec: ClusterSpec, name: string, address: string, role: Role): Process {
    return {
        name: "kubelet",
        description: "Kubernetes kubelet",
        documentation: "https://kubernetes.io/docs/reference/command-line-tools-reference/kubelet/",
        user: "root",
        type: "exec",
        after: ["containerd"],
        flags: withOverrides(
            [
                flag("config", `${DIRECTORY}/kubelet.yaml`),
                flag("kubeconfig", `${DIRECTORY}/kubelet.conf`),
                flag("hostname-override", name),
                flag("node-ip", address),
            ],
            spec.flags.kubelet,
            KUBELET_RULES.merged,
        ),
        // A kubelet that stops leaves its pods running.
        service: [
            ...["KillMode=process", "OOMScoreAdjust=-999"],
            // It watches the directory only if it is there when the kubelet starts, else looks for it every 20 seconds.
            ...(runsStaticPods(spec, role) ? [`ExecStartPre=/bin/mkdir -p ${STATIC_PODS}`] : []),
        ],
        health: `answers http://127.0.0.1:${PORTS.kubeletHealth}/healthz`,
        healthDeadline: 90,
    };
}

/** https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/ */
export function kubeletConfiguration(spec: ClusterSpec, facts: MachineFacts, role: Role): string {
    return stringify({
        apiVersion: "kubelet.config.k8s.io/v1beta1",
        kind: "KubeletConfiguration",
        authentication: {
            anonymous: { enabled: false },
            webhook: { enabled: true },
            x509: { clientCAFile: `${DIRECTORY}/ca.crt` },
        },
        authorization: { mode: "Webhook" },
        tlsCertFile: `${DIRECTORY}/server.crt`,
        tlsPrivateKeyFile: `${DIRECTORY}/server.key`,
        tlsMinVersion: "VersionTLS12",
        clusterDomain: spec.clusterDomain,
        clusterDNS: [spec.dnsIp],
        resolvConf: facts.nameServers === undefined ? (facts.resolvConf ?? "/etc/resolv.conf") : RESOLV_CONF,
        ...(runsStaticPods(spec, role) ? { staticPodPath: STATIC_PODS } : {}),
        containerRuntimeEndpoint: "unix:///run/containerd/containerd.sock",
        cgroupDriver: facts.cgroupDriver,
        failCgroupV1: facts.failCgroupV1,
        failSwapOn: facts.failSwapOn,
        // The rules of kubenet have what these protect from; without them a kubelet calls iptables twenty times less when it starts.
        ...(spec.network === "kubenet" ? { makeIPTablesUtilChains: false } : {}),
        serializeImagePulls: false,
        enableProfilingHandler: false,
    });
}

/** The name servers of pods, where the machine has no file that names just those. */
function resolvConf({ nameServers }: MachineFacts): HostFile[] {
    const content = nameServers?.map((server) => `nameserver ${server}\n`).join("");
    return content === undefined ? [] : [{ path: RESOLV_CONF, content }];
}

export class Kubelet extends Component {
    readonly ready: pulumi.Resource;

    constructor(args: NodeServiceArgs, parent: Component) {
        super("kubelab:node:Kubelet", parent.nameOf("kubelet"), { parent });
        const { machine, spec, pki } = args;
        const files = new CredentialFiles(DIRECTORY, "root");
        this.ready = service(
            {
                ...args,
                name: "kubelet",
                process: pulumi
                    .output(machine.privateAddress)
                    .apply((address) => kubeletProcess(spec, machine.name, address, machine.role)),
                files: pulumi
                    .all([
                        pulumi.output(machine.facts).apply(resolvConf),
                        pulumi.all([
                            pulumi.output(machine.facts).apply((facts) => ({
                                path: `${DIRECTORY}/kubelet.yaml`,
                                content: kubeletConfiguration(spec, facts, machine.role),
                            })),
                            args.controlPlane.id.apply((id) => controlPlaneFile(DIRECTORY, id)),
                            files.certificate("ca", pki.kubernetes.certPem),
                            ...files.pair("server", pki.certificate(machine, "kubelet-server", this)),
                            ...files.kubeconfig("kubelet", {
                                spec,
                                pki,
                                server: `https://${spec.api.name}:${spec.api.port}`,
                                user: `system:node:${machine.name}`,
                                certificate: pki.certificate(machine, "kubelet", this),
                            }),
                        ]),
                    ])
                    .apply(([servers, all]) => [...servers, ...all]),
            },
            this,
        );
        this.registerOutputs({ ready: this.ready });
    }
}
