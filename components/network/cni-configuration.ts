/** What the CNI configurations of this project's pod networks differ in. */
export interface BridgeConfiguration {
    readonly name: string;
    /** Name of the bridge that every pod of the node hangs on. */
    readonly bridge: string;
    /** Largest packet in bytes; the kernel's own default where it is left out. A text is put in without quotes. */
    readonly mtu?: string;
    /** Pods' packets that leave the node have the node's address. */
    readonly masquerade?: boolean;
    /** https://www.cni.dev/plugins/current/ipam/host-local/; empty where the pod network's own program puts them in. */
    readonly ranges: readonly (readonly { readonly subnet: string; readonly gateway: string }[])[];
}

/**
 * A CNI configuration list: a bridge, addresses out of the node's ranges, host ports.
 * https://www.cni.dev/plugins/current/main/bridge/: hairpin, so that a pod reaches itself through its own service. Masquerading
 * is the plugin's business only where there is no way between nodes: it would also hide pods from each other across nodes.
 */
export function bridgeConfiguration({ name, bridge, mtu, masquerade = false, ranges }: BridgeConfiguration): string {
    const text = JSON.stringify(
        {
            cniVersion: "1.0.0",
            name,
            plugins: [
                {
                    type: "bridge",
                    bridge,
                    ...(mtu === undefined ? {} : { mtu }),
                    isGateway: true,
                    ipMasq: masquerade,
                    hairpinMode: true,
                    ipam: { type: "host-local", ranges, routes: [{ dst: "0.0.0.0/0" }] },
                },
                { type: "portmap", capabilities: { portMappings: true } },
            ],
        },
        undefined,
        2,
    );
    return `${mtu === undefined ? text : text.replace(JSON.stringify(mtu), mtu)}\n`;
}
