import * as pulumi from "@pulumi/pulumi";
import { Component } from "../component";
import { flag, type Process, withOverrides } from "../steps/process";
import { CredentialFiles } from "../pki/files";
import { quote } from "../steps/script";
import { step } from "../steps/step";
import type { ReadyMachine } from "../machines/machine";
import type { ClusterSpec } from "../cluster-spec/types";
import { hosted } from "./hosted";
import type { ControlPlaneServiceArgs } from "./service-args";
import { ETCD_RULES } from "./etcd-rules";
import { takeAddress } from "./moving-address";
import { noteVersion } from "./record";
import { PORTS } from "../cluster-spec/ports";

const DIRECTORY = "/etc/etcd";

export interface EtcdMember {
    readonly name: string;
    /** Address the other members reach it by. */
    readonly address: string;
}

const clientUrl = (address: string): string => `https://${address}:${PORTS.etcdClient}`;
const peerUrl = (address: string): string => `https://${address}:${PORTS.etcdPeer}`;

/**
 * How etcd runs on one machine; https://etcd.io/docs/v3.6/op-guide/configuration/
 *
 * @param others addresses of the other members.
 */
export function etcdProcess(spec: ClusterSpec, self: EtcdMember, others: readonly string[] = []): Process {
    const client = clientUrl(self.address);
    const peer = peerUrl(self.address);
    const own = clientUrl("127.0.0.1");
    const answers = `curl -sf --max-time 5 --cacert ${DIRECTORY}/ca.crt --cert ${DIRECTORY}/client.crt --key ${DIRECTORY}/client.key ${own}/health`;
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
                flag("listen-client-urls", `${own},${client}`),
                flag("advertise-client-urls", client),
                flag("listen-peer-urls", peer),
                flag("initial-advertise-peer-urls", peer),
                ...(spec.highlyAvailable ? [] : [flag("initial-cluster", `${self.name}=${peer}`)]),
                flag("initial-cluster-token", spec.name, "members of another lab are refused"),
                ...(spec.highlyAvailable
                    ? []
                    : [
                          flag("initial-cluster-state", "new"),
                          flag("heartbeat-interval", 25, "milliseconds; the only member waits for no other"),
                          flag("election-timeout", 250, "milliseconds; it votes for itself so much after its start"),
                      ]),
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
        // Who the other members are is decided when it joins them, and not in its flags: no member restarts when another one comes.
        ...(spec.highlyAvailable
            ? {
                  environment: {
                      file: `${DIRECTORY}/initial-cluster.env`,
                      names: ["ETCD_INITIAL_CLUSTER", "ETCD_INITIAL_CLUSTER_STATE"],
                  },
              }
            : {}),
        health: spec.highlyAvailable
            ? `etcd_votes ${peer} ${quote(others.map(clientUrl).join(","))} ${answers}`
            : answers,
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
            /** All control-plane machines, this one among them. The first one begins the cluster. */
            readonly members: readonly ReadyMachine[];
        },
        parent: Component,
    ) {
        super("kubelab:control-plane:Etcd", parent.nameOf("etcd"), { parent });
        const { machine, members, spec, pki } = args;
        const [first] = members;
        const others = members.filter(({ name }) => name !== machine.name);
        const self = pulumi.output(machine.privateAddress).apply((address) => ({ name: machine.name, address }));
        const addresses = pulumi.all(others.map(({ privateAddress }) => privateAddress));
        const files = new CredentialFiles(DIRECTORY, "etcd");
        this.ready = hosted(
            {
                ...args,
                name: "etcd",
                user: "etcd",
                process: pulumi.all([self, addresses]).apply(([member, all]) => etcdProcess(spec, member, all)),
                tellsFirstRun: spec.highlyAvailable,
                beforeStart: pulumi
                    .all([self, addresses])
                    .apply(([member, all]) => [
                        ...(spec.highlyAvailable
                            ? [enter(member, all, machine.name === first?.name), "etcd_spare"]
                            : []),
                        noteVersion("etcd", spec),
                    ]),
                files: pulumi.all([
                    files.certificate("ca", pki.etcd.trusted),
                    ...files.pair("server", pki.certificate(machine, "etcd-server", this)),
                    ...files.pair("peer", pki.certificate(machine, "etcd-peer", this)),
                    ...files.pair("client", pki.certificate(machine, "etcd-client", this)),
                ]),
            },
            this,
        );
        if (first !== undefined && machine.name !== first.name) {
            this.ready = membership(spec, machine, first, this.ready, this);
        }
        this.registerOutputs({ ready: this.ready });
    }
}

/** The statement that makes one without data a member before it starts. */
function enter({ name, address }: EtcdMember, others: readonly string[], begins: boolean): string {
    const endpoints = quote(others.map(clientUrl).join(","));
    return `etcd_enter ${name} ${peerUrl(address)} ${endpoints}${begins ? " found" : ""}`;
}

/**
 * What a member has to undo before its machine goes, on a machine that stays: the others let it go. Without that they would count its
 * vote.
 */
function membership(
    spec: ClusterSpec,
    machine: ReadyMachine,
    first: ReadyMachine,
    started: pulumi.Resource,
    parent: pulumi.Resource,
): pulumi.Resource {
    const name = `etcd-member-${machine.name}`;
    const script = pulumi
        .all([machine.id, machine.privateAddress, first.privateAddress])
        .apply(([id, address, own]) => ({
            create: [`# for ${id}`, `once ${name}`],
            delete: [
                `once ${name}`,
                // An API server without its etcd takes requests for a while that it can't answer.
                ...takeAddress(spec),
                `etcd_leave ${machine.name} ${peerUrl(address)} ${clientUrl(address)} ${peerUrl(own)}`,
            ],
        }));
    const resource = `${machine.name}-etcd-member`;
    return step(name, { machine: first, resource, undo: true, script, dependsOn: [first.ready, started] }, parent);
}
