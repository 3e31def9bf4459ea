import type * as pulumi from "@pulumi/pulumi";
import { Component } from "../component";
import { put } from "../steps/script";
import { step } from "../steps/step";
import { bridgeConfiguration } from "./cni-configuration";
import { BRIDGE } from "./kubenet";
import type { PodNetwork, PodNetworkArgs, RegisteredNodes } from "./pod-network";

const BRIDGE_FILE = "/etc/cni/net.d/10-bridge.conflist";

/** Statements that take the bridge away, where there is one: pods on it are cut off. */
export function removeBridge(): string[] {
    return [
        `if [ -e ${BRIDGE_FILE} ]; then`,
        `    rm ${BRIDGE_FILE}`,
        `    ip link del ${BRIDGE} 2>/dev/null || true`,
        "fi",
    ];
}

/**
 * What Docker gave a node: a bridge with one and the same range on every node, behind the node's own address. Pods reach each other
 * on a node, and the world. Between nodes they have no way, and two pods on two nodes can have one address.
 */
export class Bridge extends Component implements PodNetwork {
    readonly ready: Readonly<Record<string, pulumi.Resource>>;

    constructor({ spec, nodes }: PodNetworkArgs, parent: Component) {
        super("kubelab:network:Bridge", parent.resourceName, { parent });
        this.ready = Object.fromEntries(
            nodes.map(({ node, machine }) => {
                const { podCidr, podGateway } = spec.bridgeRange;
                const content = bridgeConfiguration({
                    name: "bridge",
                    bridge: BRIDGE,
                    masquerade: true,
                    ranges: [[{ subnet: podCidr, gateway: podGateway }]],
                });
                const bridge = step(
                    `${node.name}-bridge`,
                    {
                        machine,
                        undo: true,
                        script: {
                            create: ["once bridge", put({ path: BRIDGE_FILE, content })],
                            delete: ["once bridge", ...removeBridge()],
                        },
                        dependsOn: [machine.ready],
                    },
                    this,
                );
                return [node.name, bridge] as const;
            }),
        );
        this.registerOutputs({ ready: this.ready });
    }

    connected({ memberships }: RegisteredNodes): readonly pulumi.Resource[] {
        return memberships;
    }
}
