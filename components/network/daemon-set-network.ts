import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { Component } from "../component";
import { KUBECTL, manifests } from "../control-plane/kubectl-step";
import { step } from "../steps/step";
import type { ReadyMachine } from "../machines/machine";
import type { ClusterSpec } from "../cluster-spec/types";
import { type CniPlugin, setUpNode, tearDownNode } from "./cni-plugin";
import { daemonSets, networkManifests } from "./daemon-set";
import type { PodNetwork, PodNetworkArgs, RegisteredNodes } from "./pod-network";

/** Seconds the DaemonSet's pods are given to work on all nodes, and the routes to come to all others. */
const DEADLINE = 300;

/** A pod network whose own program runs as a DaemonSet: kube-router, flannel. The controller manager gives nodes their pod CIDRs. */
export class DaemonSetNetwork extends Component implements PodNetwork {
    readonly ready: Readonly<Record<string, pulumi.Resource>>;

    constructor(
        private readonly plugin: CniPlugin,
        private readonly args: PodNetworkArgs,
        parent: Component,
    ) {
        super("kubelab:network:DaemonSetNetwork", parent.resourceName, { parent });
        const { nodes } = args;
        const addresses = pulumi.all(nodes.map(({ machine }) => machine.privateAddress));
        this.ready = Object.fromEntries(
            nodes.map(({ machine }) => [machine.name, this.setUp(machine, addresses)] as const),
        );
        this.registerOutputs({ ready: this.ready });
    }

    private setUp(machine: ReadyMachine, addresses: pulumi.Output<string[]>): pulumi.Resource {
        const { plugin } = this;
        const { overlay } = this.args.spec;
        return step(
            `${machine.name}-${plugin.daemon.name}`,
            {
                machine,
                undo: true,
                script: addresses.apply((all) => ({
                    create: [
                        ...(overlay === "none" ? all.flatMap(onOneSubnet) : []),
                        ...setUpNode(plugin, machine.role),
                    ],
                    delete: tearDownNode(plugin),
                })),
                dependsOn: [machine.ready],
            },
            this,
        );
    }

    connected({ controlPlane, api, memberships }: RegisteredNodes): readonly pulumi.Resource[] {
        const { spec, nodes } = this.args;
        const { name } = this.plugin.daemon;
        const objects = networkManifests(spec, this.plugin.daemon);
        const daemonSet = manifests(name, { machine: controlPlane, objects, dependsOn: [...api] }, this);
        const sets = daemonSets(this.plugin.daemon).map((set) => ({
            name: set.name,
            nodes: nodes.filter(({ node }) => set.role === undefined || node.role === set.role).length,
        }));
        // In the next step's text, so that it waits for changed manifests too.
        const digest = createHash("sha256").update(JSON.stringify(objects)).digest("hex").slice(0, 16);
        const running = step(
            `${name}-running`,
            {
                machine: controlPlane,
                script: { create: [`# manifests ${digest}`, ...sets.flatMap((set) => daemonSetRuns(name, set))] },
                // Beside the nodes, which are Ready only when it runs: it knows better why it does not.
                dependsOn: [daemonSet],
            },
            this,
        );
        const routes = nodes.map(({ machine }) =>
            step(
                `${machine.name}-pod-routes`,
                {
                    machine,
                    script: { create: routesToOthers(spec, nodes.length) },
                    dependsOn: [running, ...memberships],
                },
                this,
            ),
        );
        return [running, ...routes];
    }
}

/** Statements that refuse a node behind a router: without an overlay, its packets would not find the way. */
function onOneSubnet(address: string): string[] {
    return [
        `[[ $(ip -o route get ${address}) != *' via '* ]] || fail "${address} is in another subnet: set kubelab:overlay to 'subnet'"`,
    ];
}

/** Statements that wait for the pods, and tell what keeps them from running. A node that is to leave may still have one. */
export function daemonSetRuns(
    app: string,
    { name, nodes }: { readonly name: string; readonly nodes: number },
): string[] {
    const own = `${KUBECTL} -n kube-system`;
    return [
        `scheduled() { [ "$(${own} get daemonset ${name} -o 'jsonpath={.status.desiredNumberScheduled}')" -ge ${nodes} ]; }`,
        `within ${DEADLINE} scheduled || fail "the DaemonSet ${name} has no pod on some node: kubectl -n kube-system describe daemonset ${name}"`,
        `if ! ${own} rollout status daemonset/${name} --timeout=${DEADLINE}s; then`,
        `    ${own} get pods -l k8s-app=${app} -o 'jsonpath={range .items[*]}{.spec.nodeName}: {.status.phase} {.status.containerStatuses[*].state.waiting.message}{"\\n"}{end}' >&2`,
        `    fail "${name} does not run on every node after ${DEADLINE} seconds: kubectl -n kube-system describe pods -l k8s-app=${app}"`,
        "fi",
    ];
}

/** Statements that wait until the node has a route to the pods of every other one: with BGP, that is a session with each of them. */
export function routesToOthers({ podCidr }: Pick<ClusterSpec, "podCidr">, nodes: number): string[] {
    return [
        `routes() { ip -4 -o route show root ${podCidr} | grep -v ' proto kernel ' || true; }`,
        `others() { [ "$(routes | wc -l)" -ge ${nodes - 1} ]; }`,
        `within ${DEADLINE} others || fail "the node has routes to $(routes | wc -l) of ${nodes - 1} other nodes' pods after ${DEADLINE} seconds: $(routes | tr '\\n' ';')"`,
    ];
}
