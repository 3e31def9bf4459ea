import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { corednsManifests } from "./addons/coredns";
import { clientFiles } from "./client-files";
import { ControlPlane } from "./control-plane/control-plane";
import { KUBECTL, manifests } from "./control-plane/kubectl-step";
import { keepRecord } from "./control-plane/record";
import { membership } from "./control-plane/node-object";
import { getParts, partsDelivery } from "./steps/parts";
import { prepare } from "./steps/prepare";
import { sshCommand, sshIdentity } from "./steps/ssh-identity";
import type { InspectedHost } from "./machines/hosts/rules";
import { createMachines } from "./machines/machines";
import { OneAtATime } from "./machines/one-at-a-time";
import { kernelChecks, podNetwork } from "./network/networks";
import { Node } from "./node/node";
import { renderKubeconfig } from "./pki/kubeconfig";
import { Pki } from "./pki/pki";
import { hasPodNetwork } from "./cluster-spec/bring-up";
import type { ClusterSpec, NodeSpec } from "./cluster-spec/types";

/** What the stack puts out of a node. */
export interface NodeOutput {
    readonly name: string;
    readonly role: NodeSpec["role"];
    readonly address: pulumi.Output<string>;
    /** Absent where the controller manager allocates it: the Node object has it. */
    readonly podCidr?: string;
}

/** A whole cluster, or as much of it as the spec's steps go to. */
export class Cluster extends pulumi.ComponentResource {
    /** The administrator's kubeconfig, secret. */
    readonly kubeconfig: pulumi.Output<string>;
    readonly nodes: readonly NodeOutput[];
    /** `https://address:port` */
    readonly apiServer: pulumi.Output<string>;
    readonly sshCommands: Readonly<Record<string, pulumi.Output<string>>>;

    /**
     * @param running names of the nodes that the cluster had at the end of its last run; none where it is new.
     * @param hosts what its hosts are like, where it is made of such.
     */
    constructor(
        spec: ClusterSpec,
        {
            running = [],
            hosts = [],
        }: { readonly running?: readonly string[]; readonly hosts?: readonly InspectedHost[] } = {},
        options: pulumi.ComponentResourceOptions = {},
    ) {
        super("kubelab:index:Cluster", spec.name, {}, options);
        const own = { parent: this };

        const parts = getParts(spec, this);
        const turns = new OneAtATime(
            spec.nodes.map(({ name }) => name),
            running,
        );
        const made = createMachines({ spec, parts, turns, hosts }, this);
        const { machines, endpoint, innerEndpoint } = made;
        const identity = sshIdentity(made.privateKey, machines, this);
        const pki = new Pki(spec, endpoint, own);
        const encryptionKey = new random.RandomBytes("secrets-encryption-key", { length: 32 }, own);

        const names = pulumi.output(innerEndpoint).apply((address) => [{ name: spec.api.name, addresses: [address] }]);
        const nodes = machines.map((machine, index) => {
            const node = spec.nodes[index];
            if (node === undefined) {
                throw new Error(`no node for the machine ${machine.name}`);
            }
            const record = machine.role === "control-plane" ? keepRecord(spec) : [];
            const check = [...kernelChecks(spec), ...record];
            const ready = prepare({ ...machine, repair: spec.repair[node.name] }, names, this, check);
            return { node, machine: ready };
        });
        const members = nodes.filter(({ node }) => node.role === "control-plane");
        const first = members[0];
        if (first === undefined) {
            throw new Error("a cluster needs a control plane");
        }
        const { architecture } = made;
        const delivery = partsDelivery(spec, { parts, identity, first: first.machine, architecture }, this);
        const network = hasPodNetwork(spec) ? podNetwork({ spec, nodes }, own) : undefined;
        const kubelets = new Map<string, pulumi.Resource>();
        for (const { machine } of spec.steps.includes("containerd") ? nodes : []) {
            const { kubelet } = new Node(
                { spec, machine, delivery, pki, network: network?.ready[machine.name], controlPlane: first.machine },
                own,
            );
            if (kubelet !== undefined) {
                kubelets.set(machine.name, kubelet);
            }
        }

        const controlPlanes = (spec.steps.includes("etcd") ? members : []).map(
            ({ machine }) =>
                new ControlPlane(
                    {
                        spec,
                        machine,
                        members: members.map((member) => member.machine),
                        delivery,
                        pki,
                        encryptionKey: encryptionKey.base64,
                        kubelet: kubelets.get(machine.name),
                    },
                    own,
                ),
        );
        const api = controlPlanes[0]?.api ?? [];
        const registered = api.length > 0 && spec.steps.includes("kubelet") ? nodes : [];
        const memberships = registered.map(({ node, machine }) => {
            const joined = membership({ spec, node, machine, controlPlane: first.machine, dependsOn: api }, this);
            turns.after(node.name, joined);
            return joined;
        });
        turns.noMore();
        const { machine: controlPlane } = first;
        const connected = api.length > 0 ? (network?.connected({ controlPlane, api, memberships }) ?? []) : [];
        if (spec.steps.includes("dns")) {
            manifests(
                "coredns",
                {
                    machine: first.machine,
                    objects: corednsManifests(spec),
                    wait: [
                        `${KUBECTL} -n kube-system rollout status deployment/coredns --timeout=120s || fail 'CoreDNS did not become ready: kubectl -n kube-system describe pods -l k8s-app=kube-dns'`,
                    ],
                    dependsOn: [...api, ...connected],
                },
                this,
            );
        }

        this.apiServer = pulumi.interpolate`https://${endpoint}:${spec.api.port}`;
        this.kubeconfig = pulumi.secret(
            pulumi
                .all([this.apiServer, pki.kubernetes.certPem, pki.admin.certPem, pki.admin.keyPem])
                .apply(([server, certificateAuthority, certificate, key]) =>
                    renderKubeconfig({
                        cluster: spec.name,
                        user: "kubelab:admin",
                        server,
                        certificateAuthority,
                        certificate,
                        key,
                    }),
                ),
        );
        this.nodes = nodes.map(({ node, machine }) => ({
            name: node.name,
            role: node.role,
            address: pulumi.output(machine.address),
            ...(node.podCidr === undefined ? {} : { podCidr: node.podCidr }),
        }));
        this.sshCommands = Object.fromEntries(machines.map((machine) => [machine.name, sshCommand(machine, identity)]));
        const { kubeconfig, apiServer, sshCommands } = this;
        const podNetworkName = spec.network === "cni" ? spec.cniPlugin : spec.network;
        const lab = { name: spec.name, provider: spec.provider };
        const outputs = {
            nodes: this.nodes,
            apiServer,
            sshCommands,
            podNetwork: podNetworkName,
            parts: parts.digest,
            lab,
        };
        clientFiles({ kubeconfig, outputs }, this);
        this.registerOutputs({ apiServer: this.apiServer, kubeconfig: this.kubeconfig });
    }
}
