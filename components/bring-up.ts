import * as pulumi from "@pulumi/pulumi";
import { RunError } from "@pulumi/pulumi/errors";
import * as random from "@pulumi/random";
import { corednsManifests } from "./addons/coredns";
import { clientFiles } from "./client-files";
import type { Component } from "./component";
import { ControlPlane } from "./control-plane/control-plane";
import type { EncryptionKey } from "./control-plane/encryption";
import { KUBECTL, manifests } from "./control-plane/kubectl-step";
import { keepRecord } from "./control-plane/record";
import { drain } from "./control-plane/drain";
import { membership } from "./control-plane/node-object";
import { getParts, partsDelivery } from "./steps/parts";
import { prepare } from "./steps/prepare";
import { sshCommand, sshIdentity } from "./steps/ssh-identity";
import type { InspectedHost } from "./machines/hosts/rules";
import { createMachines } from "./machines/machines";
import { kernelChecks, podNetwork } from "./network/networks";
import { Node } from "./node/node";
import { rethrowAsItIs } from "./rethrow";
import { Rollout } from "./rollout";
import { valueOf } from "./value-of";
import { renderKubeconfig } from "./pki/kubeconfig";
import { Pki } from "./pki/pki";
import { apiTools } from "./cluster-spec/api-tools";
import { hasPodNetwork } from "./cluster-spec/bring-up";
import { type ClusterSpec, FIRST_KEY, type NodeSpec } from "./cluster-spec/types";

/** The outputs of a node. */
export interface NodeOutput {
    readonly name: string;
    readonly role: NodeSpec["role"];
    readonly address: pulumi.Output<string>;
    /** Absent where the controller manager allocates it: the Node object has it. */
    readonly podCidr?: string;
}

export interface BringUpArgs {
    readonly spec: ClusterSpec;
    /** Directory of the user's files, relative to the project's directory. */
    readonly directory: string;
    /** Names of the nodes that the cluster had at the end of its last run; none where it is new. */
    readonly running: readonly string[];
    /** `Parts.run` of the last run that came to its end. */
    readonly rolledOut?: string | undefined;
    /** Whether another key signs the certificates of kubelets than in the last run. */
    readonly signsAnew: boolean;
    /** The facts of its hosts, with provider `hosts`. */
    readonly hosts: pulumi.Input<readonly InspectedHost[]>;
}

/** Access to a running cluster. */
export interface BroughtUp {
    /** The administrator's kubeconfig, secret. */
    readonly kubeconfig: pulumi.Output<string>;
    readonly nodes: readonly NodeOutput[];
    /** `https://address:port` */
    readonly apiServer: pulumi.Output<string>;
    /** By node name. */
    readonly sshCommands: Readonly<Record<string, pulumi.Output<string>>>;
    /** `Parts.run` of the parts that all nodes have when this run has come to its end. */
    readonly rolledOut: pulumi.Output<string | undefined>;
}

/** All of a cluster, in the order in which it comes up, as far as the spec's steps go. */
export function bringUp(args: BringUpArgs, cluster: Component): BroughtUp {
    const { spec, directory, running, hosts } = args;
    const parts = getParts(spec, cluster);
    const changes = valueOf(parts.run).then((run) => run !== args.rolledOut);
    const rollout = new Rollout(spec.nodes, running, spec.upgrade.maxUnavailable, changes);
    const provided = createMachines({ spec, parts, rollout, hosts }, cluster);
    const { machines, endpoint, innerEndpoint, endpointPort = spec.api.port, serverName } = provided;
    const identity = sshIdentity(provided.privateKey, machines, directory, cluster);
    const pki = new Pki(spec, serverName === undefined ? endpoint : undefined, cluster);
    const encryptionKeys = pulumi.all(spec.encryptionKeys.map((name) => encryptionKey(name, cluster)));

    // Of several control planes each machine asks its own API server, or its own load balancer.
    const asked = pulumi.output(spec.highlyAvailable ? "127.0.0.1" : innerEndpoint);
    const names = asked.apply((address) => [{ name: spec.api.name, addresses: [address] }]);
    const nodes = machines.map((machine, index) => {
        const node = spec.nodes[index];
        if (node === undefined) {
            throw new Error(`no node for the machine ${machine.name}`);
        }
        const record = machine.role === "control-plane" ? keepRecord(spec) : [];
        const check = [...kernelChecks(spec, machine.role), ...record];
        const tools = apiTools(spec, machine.role);
        const ready = prepare({ ...machine, repair: spec.repair[node.name] }, names, cluster, { check, tools });
        pki.makeKeys(ready);
        return { node, machine: ready };
    });
    const members = nodes.filter(({ node }) => node.role === "control-plane");
    const first = members[0];
    if (first === undefined) {
        throw new Error("a cluster needs a control plane");
    }
    const { architecture } = provided;
    const delivery = partsDelivery(spec, { parts, identity, first: first.machine, architecture }, cluster);
    let tellSigners: (controllers: readonly pulumi.Resource[]) => void = () => undefined;
    const signers = new Promise<readonly pulumi.Resource[]>((resolve) => (tellSigners = resolve));
    const signsAnew = args.signsAnew
        ? changes
              .then(refuseWithRollout(running))
              .then(() => signers)
              .catch(rethrowAsItIs)
        : Promise.resolve([]);
    const network = hasPodNetwork(spec) ? podNetwork({ spec, nodes }, cluster) : undefined;
    const workloads = new Map(
        (spec.steps.includes("containerd") ? nodes : []).map(({ machine }) => [
            machine.name,
            new Node(
                {
                    spec,
                    machine,
                    delivery,
                    pki,
                    network: network?.ready[machine.name],
                    controlPlane: first.machine,
                    controlPlanes: members.map((member) => member.machine),
                    turn: rollout.after(machine.name, "drained"),
                    signers: signsAnew,
                },
                cluster,
            ),
        ]),
    );

    const controlPlanes = (spec.steps.includes("etcd") ? members : []).reduce<readonly ControlPlane[]>(
        (made, { machine }) => [
            ...made,
            new ControlPlane(
                {
                    spec,
                    machine,
                    members: members.map((member) => member.machine),
                    delivery,
                    pki,
                    encryptionKeys,
                    kubelet: workloads.get(machine.name)?.kubelet,
                    predecessor: made.at(-1),
                    rollout,
                },
                cluster,
            ),
        ],
        [],
    );
    tellSigners(controlPlanes.flatMap((controlPlane) => controlPlane.controllers));
    const api = controlPlanes[0]?.api ?? [];
    const rights = controlPlanes.flatMap((controlPlane) => controlPlane.rights);
    for (const node of workloads.values()) {
        node.proxyServices([...api, ...rights]);
    }
    const registered = api.length > 0 && spec.steps.includes("kubelet") ? nodes : [];
    const memberships = registered.map(({ node, machine }) => {
        const minted = workloads.get(node.name)?.minted;
        const dependsOn = minted === undefined ? api : [...api, minted];
        rollout.at(node.name, "services", workloads.get(node.name)?.services ?? []);
        const { run } = parts;
        const turn = rollout.after(node.name, "services");
        const common = { spec, node, controlPlane: first.machine, run };
        const joined = membership({ ...common, machine, dependsOn, turn }, cluster);
        rollout.at(node.name, "member", [joined]);
        // Not while a node joins: there is nothing to drain yet.
        const isNew = !running.includes(node.name);
        const before = node.role === "worker" ? rollout.turnOf(node.name) : rollout.after(node.name, "control-plane");
        const drained = drain({ ...common, dependsOn: isNew ? [joined] : [], turn: before }, cluster);
        rollout.at(node.name, "drained", [drained]);
        return joined;
    });
    rollout.noMore();
    const { machine: controlPlane } = first;
    const connected = api.length > 0 ? (network?.connected({ controlPlane, api, memberships }) ?? []) : [];
    if (spec.steps.includes("dns")) {
        manifests(
            "coredns",
            {
                machine: first.machine,
                objects: corednsManifests(spec),
                wait: [
                    `${KUBECTL} -n kube-system rollout status deployment/coredns --timeout=300s || fail 'CoreDNS did not become ready: kubectl -n kube-system describe pods -l k8s-app=kube-dns'`,
                ],
                dependsOn: [...api, ...connected],
            },
            cluster,
        );
    }

    const apiServer = pulumi.interpolate`https://${endpoint}:${endpointPort}`;
    const admin = pki.admin(cluster);
    const kubeconfig = pulumi.secret(
        pulumi
            .all([apiServer, pki.kubernetes.trusted, admin.certPem, admin.keyPem])
            .apply(([server, certificateAuthority, certificate, key]) =>
                renderKubeconfig({
                    cluster: spec.name,
                    user: "kubelab:admin",
                    server,
                    ...(serverName === undefined ? {} : { serverName }),
                    certificateAuthority,
                    credentials: { certificate, key },
                }),
            ),
    );
    const nodeOutputs = nodes.map(({ node, machine }) => ({
        name: node.name,
        role: node.role,
        address: pulumi.output(machine.address),
        ...(node.podCidr === undefined ? {} : { podCidr: node.podCidr }),
    }));
    const sshCommands = Object.fromEntries(machines.map((machine) => [machine.name, sshCommand(machine, identity)]));
    const outputs = {
        nodes: nodeOutputs,
        apiServer,
        sshCommands,
        podNetwork: spec.network === "cni" ? spec.cniPlugin : spec.network,
        parts: parts.digest,
        lab: { name: spec.name, provider: spec.provider },
        ...weakened(spec),
    };
    clientFiles({ kubeconfig, outputs, directory }, cluster);

    // Outputs are put out when all of them are known: those of a rollout that stops are the ones from before it.
    const ends = pulumi
        .output(changes)
        .apply((all) => (all && running.length > 0 ? memberships.map(({ id }) => id) : []));
    const rolledOut = pulumi.all([parts.run, ends]).apply(([run]) => run);
    return { kubeconfig, nodes: nodeOutputs, apiServer, sshCommands, rolledOut };
}

/** A node that gets other programs before the next one does can't wait for the controllers of that one. */
function refuseWithRollout(running: readonly string[]): (changes: boolean) => void {
    return (changes) => {
        if (changes && running.length > 0) {
            throw new RunError(
                "kubelab:authorities: another key of kubernetes-ca can't begin to sign in a run that changes programs. " +
                    "Put the key that signed before first again, run 'up', and then change the order",
            );
        }
    };
}

/** 32 random bytes. That of before there were several has the name it had then. */
function encryptionKey(name: string, cluster: Component): pulumi.Output<EncryptionKey> {
    const resource = ["secrets-encryption-key", ...(name === FIRST_KEY ? [] : [name])].join("-");
    const bytes = new random.RandomBytes(cluster.nameOf(resource), { length: 32 }, { parent: cluster });
    return bytes.base64.apply((secret) => ({ name, secret }));
}

/** For `status`: what the config allows though it weakens the cluster. */
function weakened({ insecure, podSecurity }: ClusterSpec): object {
    const flags = insecure.map(({ component, flag, why }) => ({ component, flag, why }));
    const settings =
        podSecurity.enforce === "privileged"
            ? [
                  {
                      setting: "podSecurity.enforce",
                      why: "whoever may create pods gets at their node's files and network",
                  },
              ]
            : [];
    return flags.length + settings.length === 0 ? {} : { insecure: [...flags, ...settings] };
}
