import * as pulumi from "@pulumi/pulumi";
import { stringify } from "yaml";
import { Component } from "../component";
import { flag, type Process, withOverrides } from "../steps/process";
import { type CopiedFile, type HostFile, programFile } from "../steps/script";
import { service } from "../steps/service";
import type { MachineFacts } from "../machines/machine";
import { CredentialFiles } from "../pki/files";
import { renderKubeconfig } from "../pki/kubeconfig";
import { asksForCertificates } from "../cluster-spec/node-certificates";
import { bootstrapToken } from "../node-certificates/bootstrap-token";
import type { ClusterSpec, Role } from "../cluster-spec/types";
import { controlPlaneFile, type NodeServiceArgs } from "./service-args";
import { STRONG_SUITES } from "../steps/tls-suites";
import { mergeItems } from "../steps/flag-rules";
import { KUBELET_RULES } from "./kubelet-rules";
import { keysOfKubelet } from "../node-certificates/keys-of-kubelet";
import { PORTS } from "../cluster-spec/ports";

const DIRECTORY = "/etc/kubernetes/kubelet";
/** Waits for the bootstrap token to be good for something: join.sh. */
const JOIN = "/usr/local/lib/kubelab/join";
const OWN_KUBECONFIG = "/var/lib/kubelet/kubeconfig";
const RESOLV_CONF = `${DIRECTORY}/resolv.conf`;
/** The kubelet runs what is in here without asking an API server. */
const STATIC_PODS = "/etc/kubernetes/manifests";

/** A flag that goes into the configuration, where its suites are added to kubelab's. */
const SUITES = "tls-cipher-suites";
/** Processes and threads of one pod. */
const PIDS_LIMIT = 4096;

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
                ...(asksForCertificates(spec)
                    ? [
                          flag(
                              "bootstrap-kubeconfig",
                              `${DIRECTORY}/bootstrap.conf`,
                              "read while it has no certificate",
                          ),
                          flag("kubeconfig", OWN_KUBECONFIG, "written by itself: the paths of its certificate and key"),
                      ]
                    : [flag("kubeconfig", `${DIRECTORY}/kubelet.conf`)]),
                flag("hostname-override", name),
                flag("node-ip", address),
            ],
            Object.fromEntries(Object.entries(spec.flags.kubelet ?? {}).filter(([name]) => name !== SUITES)),
            KUBELET_RULES.merged,
        ),
        // A kubelet that stops leaves its pods running.
        service: [
            ...["KillMode=process", "OOMScoreAdjust=-999"],
            ...(asksForCertificates(spec)
                ? [`ExecStartPre=/bin/bash ${JOIN} wait ${spec.api.name}:${spec.api.port}`]
                : []),
            // It watches the directory only if it is there when the kubelet starts, else looks for it every 20 seconds.
            ...(runsStaticPods(spec, role) ? [`ExecStartPre=/bin/mkdir -p ${STATIC_PODS}`] : []),
        ],
        health: asksForCertificates(spec)
            ? `joins_or_answers ${PORTS.kubeletHealth}`
            : `answers http://127.0.0.1:${PORTS.kubeletHealth}/healthz`,
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
        ...(asksForCertificates(spec)
            ? { rotateCertificates: true, serverTLSBootstrap: true }
            : { tlsCertFile: `${DIRECTORY}/server.crt`, tlsPrivateKeyFile: `${DIRECTORY}/server.key` }),
        tlsMinVersion: "VersionTLS12",
        tlsCipherSuites: mergeItems(STRONG_SUITES.join(","), spec.flags.kubelet?.[SUITES] ?? "").split(","),
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
        // A pod that says nothing of it has the runtime's profile (KEP-2413).
        seccompDefault: true,
        // None takes all process ids of its node.
        podPidsLimit: PIDS_LIMIT,
        serializeImagePulls: false,
        enableProfilingHandler: false,
    });
}

/** What a kubelet joins with. */
function joiningFiles(spec: ClusterSpec): HostFile[] {
    return [
        {
            path: `${DIRECTORY}/bootstrap.conf`,
            content: renderKubeconfig({
                cluster: spec.name,
                user: "bootstrap",
                server: `https://${spec.api.name}:${spec.api.port}`,
                certificateAuthorityFile: `${DIRECTORY}/ca.crt`,
                credentials: { tokenFile: `${DIRECTORY}/bootstrap-token` },
            }),
        },
        programFile(JOIN, "join"),
    ];
}

/** The name servers of pods, where the machine has no file that names just those. */
function resolvConf({ nameServers }: MachineFacts): HostFile[] {
    const content = nameServers?.map((server) => `nameserver ${server}\n`).join("");
    return content === undefined ? [] : [{ path: RESOLV_CONF, content }];
}

export class Kubelet extends Component {
    readonly ready: pulumi.Resource;
    /** After this the control plane has a token for the kubelet to join with. */
    readonly minted?: pulumi.Resource;

    constructor(args: NodeServiceArgs, parent: Component) {
        super("kubelab:node:Kubelet", parent.nameOf("kubelet"), { parent });
        const { machine, spec, pki } = args;
        const files = new CredentialFiles(DIRECTORY, "root");
        const certificates = (): readonly pulumi.Output<HostFile | CopiedFile>[] => [
            ...files.pair("server", pki.certificate(machine, "kubelet-server", this)),
            ...files.kubeconfig("kubelet", {
                spec,
                pki,
                server: `https://${spec.api.name}:${spec.api.port}`,
                user: `system:node:${machine.name}`,
                certificate: pki.certificate(machine, "kubelet", this),
            }),
        ];
        const asks = asksForCertificates(spec);
        const { token, minted } = asks
            ? bootstrapToken({ ...args, dependsOn: [pki.keysOf(args.controlPlane)] }, this)
            : { token: undefined, minted: undefined };
        this.ready = service(
            {
                ...args,
                name: "kubelet",
                ...(token === undefined
                    ? {}
                    : {
                          secretsForLater: pulumi.all([files.file("bootstrap-token", token, "0400")]),
                          secretFiles: pulumi.all([files.file("new-keys", keysOfKubelet(spec, machine.name), "0400")]),
                          secretsTurn: args.signers,
                          checks: [{ subject: "certificate", command: `bash ${JOIN} check` }],
                      }),
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
                                mode: "0600",
                            })),
                            ...controlPlaneFile(DIRECTORY, args),
                            files.certificate("ca", pki.kubernetes.trusted),
                            ...(asks ? joiningFiles(spec) : certificates()),
                        ]),
                    ])
                    .apply(([servers, all]) => [...servers, ...all]),
            },
            this,
        );
        if (minted !== undefined) {
            this.minted = minted;
        }
        this.registerOutputs({ ready: this.ready });
    }
}
