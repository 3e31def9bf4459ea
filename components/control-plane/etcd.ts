import * as pulumi from "@pulumi/pulumi";
import { Component } from "../component";
import { flag, type Process, withOverrides } from "../steps/process";
import { CredentialFiles } from "../pki/files";
import type { Machine } from "../machines/machine";
import type { ClusterSpec } from "../cluster-spec/types";
import { hosted } from "./hosted";
import type { ControlPlaneServiceArgs } from "./service-args";
import { ETCD_RULES } from "./etcd-rules";
import { PORTS } from "../cluster-spec/ports";

const DIRECTORY = "/etc/etcd";

export interface EtcdMember {
    readonly name: string;
    /** Address the other members and their API servers reach it by. */
    readonly address: string;
}

/** How etcd runs on one machine; https://etcd.io/docs/v3.6/op-guide/configuration/ */
export function etcdProcess(spec: ClusterSpec, self: EtcdMember, members: readonly EtcdMember[]): Process {
    const client = `https://${self.address}:${PORTS.etcdClient}`;
    const peer = `https://${self.address}:${PORTS.etcdPeer}`;
    return {
        name: "etcd",
        description: "etcd, the cluster's key-value store",
        documentation: "https://etcd.io/docs/",
        user: "etcd",
        type: "notify",
        stateDirectory: "etcd",
        flags: withOverrides(
            [
                flag("name", self.name),
                flag("data-dir", "/var/lib/etcd"),
                flag("listen-client-urls", `https://127.0.0.1:${PORTS.etcdClient},${client}`),
                flag("advertise-client-urls", client),
                flag("listen-peer-urls", peer),
                flag("initial-advertise-peer-urls", peer),
                flag(
                    "initial-cluster",
                    members.map(({ name, address }) => `${name}=https://${address}:${PORTS.etcdPeer}`).join(","),
                ),
                flag("initial-cluster-token", spec.name, "members of another lab are refused"),
                flag("initial-cluster-state", "new"),
                ...(members.length === 1
                    ? [
                          flag("heartbeat-interval", 25, "milliseconds; the only member waits for no other"),
                          flag("election-timeout", 250, "milliseconds; it votes for itself so much after its start"),
                      ]
                    : []),
                flag("client-cert-auth", true, "clients authenticate with a certificate of etcd's own authority"),
                flag("trusted-ca-file", `${DIRECTORY}/ca.crt`),
                flag("cert-file", `${DIRECTORY}/server.crt`),
                flag("key-file", `${DIRECTORY}/server.key`),
                flag("peer-client-cert-auth", true),
                flag("peer-trusted-ca-file", `${DIRECTORY}/ca.crt`),
                flag("peer-cert-file", `${DIRECTORY}/peer.crt`),
                flag("peer-key-file", `${DIRECTORY}/peer.key`),
                flag("tls-min-version", "TLS1.2"),
                flag("enable-grpc-gateway", false, "would need the server's certificate to be a client's as well"),
                ...(spec.hosting === "static-pods"
                    ? [
                          flag(
                              "listen-metrics-urls",
                              `http://127.0.0.1:${PORTS.etcdMetrics}`,
                              "health for the kubelet's probes, which have no certificate",
                          ),
                      ]
                    : []),
            ],
            spec.flags.etcd,
            ETCD_RULES.merged,
        ),
        health: `curl -sf --max-time 5 --cacert ${DIRECTORY}/ca.crt --cert ${DIRECTORY}/client.crt --key ${DIRECTORY}/client.key https://127.0.0.1:${PORTS.etcdClient}/health`,
        healthDeadline: 60,
        pod: {
            image: `registry.k8s.io/etcd:${spec.versions.etcd}-0`,
            directory: DIRECTORY,
            // Serializable: a member that has lost the others needn't be started again.
            probe: { scheme: "HTTP", port: PORTS.etcdMetrics, live: "/livez", ready: "/readyz" },
            cpu: "100m",
            memory: "100Mi",
        },
    };
}

export class Etcd extends Component {
    readonly ready: pulumi.Resource;

    constructor(
        args: ControlPlaneServiceArgs & {
            readonly members: readonly Machine[];
        },
        parent: Component,
    ) {
        super("kubelab:control-plane:Etcd", parent.nameOf("etcd"), { parent });
        const { machine, members, spec, pki } = args;
        const addresses = pulumi.all(
            members.map(({ name, privateAddress }) =>
                pulumi.output(privateAddress).apply((address) => ({ name, address })),
            ),
        );
        const files = new CredentialFiles(DIRECTORY, "etcd");
        this.ready = hosted(
            {
                ...args,
                name: "etcd",
                user: "etcd",
                process: pulumi
                    .output(machine.privateAddress)
                    .apply((address) =>
                        addresses.apply((all) => etcdProcess(spec, { name: machine.name, address }, all)),
                    ),
                files: pulumi.all([
                    files.certificate("ca", pki.etcd.certPem),
                    ...files.pair("server", pki.certificate(machine, "etcd-server", this)),
                    ...files.pair("peer", pki.certificate(machine, "etcd-peer", this)),
                    ...files.pair("client", pki.certificate(machine, "etcd-client", this)),
                ]),
            },
            this,
        );
        this.registerOutputs({ ready: this.ready });
    }
}
