import * as pulumi from "@pulumi/pulumi";
import { Component } from "../component";
import { putAll } from "../steps/script";
import { step } from "../steps/step";
import { withPodCidr } from "../cluster-spec/nodes";
import type { BringUpStep } from "../cluster-spec/types";
import { bridgeConfiguration } from "./cni-configuration";
import type { PodNetwork, PodNetworkArgs, RegisteredNodes } from "./pod-network";

/** A node as its neighbours' routing tables see it. */
export interface Neighbour {
    readonly name: string;
    /** Address between nodes. */
    readonly address: string;
    readonly podCidr: string;
    /** Nodes of another zone are in another subnet: the router there knows the way to their pods. */
    readonly zone?: string | undefined;
    /** First address of `podCidr`: its bridge's. */
    readonly podGateway: string;
}

/** The bridge every pod of the node hangs on. */
export const BRIDGE = "cbr0";
/** Routing protocol number of our routes, to distinguish them from all others: `ip route show proto kubenet`. */
const PROTOCOL = 75;
const SCRIPT = "/usr/local/lib/kubelab/kubenet";

/** The pod network of one node for the CNI plugins: addresses out of the node's own range, a bridge, host ports. */
export function cniConfiguration(node: { readonly podCidr: string; readonly podGateway: string }): string {
    const ranges = [[{ subnet: node.podCidr, gateway: node.podGateway }]];
    return bridgeConfiguration({ name: "kubenet", bridge: BRIDGE, ranges });
}

/** How far a bring-up goes with the network. */
export interface KubenetStage {
    /** Nodes have routes to each other's pods. */
    readonly routes: boolean;
    /** Packets between nodes' pods may pass. Else FORWARD is what Docker makes of it: only what pods began themselves. */
    readonly rules: boolean;
}

const COMPLETE: KubenetStage = { routes: true, rules: true };

/**
 * The idempotent script that sets a node's routes and rules: run by `kubenet.service` at boot and by its reload when a
 * node comes or goes.
 */
export function routeScript(
    self: Neighbour,
    all: readonly Neighbour[],
    podCidr: string,
    stage: KubenetStage = COMPLETE,
): string {
    const others = stage.routes ? all.filter(({ name }) => name !== self.name) : [];
    const forward = stage.rules
        ? [`-s ${podCidr} -j ACCEPT`, `-d ${podCidr} -j ACCEPT`]
        : [`-i ${BRIDGE} -j ACCEPT`, `-o ${BRIDGE} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`];
    const neighbours = others.filter(({ zone }) => zone === self.zone);
    const wanted = neighbours.map((other) => `route ${other.podCidr} ${other.address} # ${other.name}`);
    const inside = all.map(
        ({ address, name }) => `-A KUBENET-POSTROUTING -d ${address}/32 -m comment --comment ${name} -j RETURN`,
    );
    const gateway = `${self.podGateway}/${self.podCidr.split("/")[1] ?? ""}`;
    return `#!/bin/bash
# Routes, rules and bridge of the pod network on ${self.name}: its pods have ${self.podCidr}, all pods ${podCidr}.
#   kubenet up      makes them what they should be
#   kubenet check   prints a line for each one that isn't; changes nothing
#   kubenet down    takes them away
set -euo pipefail

# Calls \`route DESTINATION VIA\` for the pods of every other node on the same link.
routes() {
    ${wanted.join("\n    ") || ":"}
}

# In the form in which iptables-save prints them. ${
        stage.rules
            ? "Packets from and to pods may pass, with any policy of FORWARD (Docker sets it to DROP)."
            : "As Docker does it: pods' own packets and the answers to them may pass, and no others."
    }
IFS= read -rd '' rules <<'RULES' || true
*filter
:KUBENET-FORWARD - [0:0]
:KUBENET-LOCAL - [0:0]
${forward.map((rule) => `-A KUBENET-FORWARD ${rule}`).join("\n")}
-A KUBENET-LOCAL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP
COMMIT
*nat
:KUBENET-POSTROUTING - [0:0]
-A KUBENET-POSTROUTING ! -s ${self.podCidr} -j RETURN
-A KUBENET-POSTROUTING -d ${podCidr} -j RETURN
${inside.join("\n")}
-A KUBENET-POSTROUTING -d 224.0.0.0/4 -j RETURN
-A KUBENET-POSTROUTING -m comment --comment "leaves the cluster" -j MASQUERADE
COMMIT
RULES

# Calls \`jump TABLE CHAIN -I|-A OURS\` for each rule that leads to ours, before all others or after them. KUBENET-LOCAL is what a kubelet
# sets up with iptables where it is let: a host port of a pod opens loopback addresses to the bridge, and only its own traffic may use
# that (https://issue.k8s.io/90259).
jumps() {
    jump filter FORWARD -I KUBENET-FORWARD
    jump filter INPUT -I KUBENET-LOCAL
    jump filter OUTPUT -I KUBENET-LOCAL
    jump nat POSTROUTING -A KUBENET-POSTROUTING
}

# has INTERFACE
has() {
    [[ $(</proc/self/net/dev) == *[[:space:]]"$1:"* ]]
}

# Calls \`pod_interface NAME\` for each of the pods' interfaces on this node, as the CNI plugin wrote them down; those from before a
# reboot are gone.
pod_interfaces() {
    local file text
    for file in /var/lib/cni/results/kubenet-*; do
        if [ ! -e "$file" ]; then continue; fi
        text=$(<"$file")
        while [[ $text =~ '"name":'' '?'"'(veth[0-9a-f]+)'"' ]]; do
            text=\${text#*"\${BASH_REMATCH[0]}"}
            if has "\${BASH_REMATCH[1]}"; then pod_interface "\${BASH_REMATCH[1]}"; fi
        done
    done
}

# Names of the interfaces on the bridge, each between blanks; asked for where there are pods.
on_bridge() {
    local name
    bridged=' '
    while read -r _ name _; do bridged+="\${name%%[@:]*} "; done < <(ip -o link show master ${BRIDGE})
}

up() {
    local changes='' saved wanted=' ' address destination bridged=''
    if has ${BRIDGE}; then
        # It may have been another one's before.
        while read -r _ _ _ address _; do
            [ "$address" = ${gateway} ] || changes+="address del $address dev ${BRIDGE}"$'\\n'
        done < <(ip -o -4 address show dev ${BRIDGE})
    else
        changes="link add ${BRIDGE} type bridge"$'\\n'
    fi
    changes+="link set ${BRIDGE} up"$'\\n'"address replace ${gateway} dev ${BRIDGE}"$'\\n'
    pod_interface() {
        if [ -z "$bridged" ]; then on_bridge; fi
        [[ $bridged == *" $1 "* ]] || changes+="link set dev $1 master ${BRIDGE}"$'\\n'"link set dev $1 type bridge_slave hairpin on"$'\\n'
    }
    pod_interfaces
    route() {
        wanted+="$1 "
        changes+="route replace $1 via $2 proto ${PROTOCOL}"$'\\n'
    }
    routes
    while read -r destination _; do
        [[ $wanted == *" $destination "* ]] || changes+="route del $destination proto ${PROTOCOL}"$'\\n'
    done < <(ip -o route show proto ${PROTOCOL})
    ip -batch - <<<"\${changes%$'\\n'}"

    ${stage.rules ? "" : "iptables --wait -P FORWARD DROP\n    "}saved=$(iptables-save)
    jump() {
        [[ $saved == *"-A $2 -j $4"* ]] || rules+="*$1"$'\\n'"$3 $2 -j $4"$'\\nCOMMIT\\n'
    }
    jumps
    iptables-restore --wait --noflush <<<"\${rules%$'\\n'}"
}

check() {
    local addresses bridged
    if ! has ${BRIDGE}; then
        echo "bridge ${BRIDGE}: gone"
    else
        addresses=$(ip -o -4 address show dev ${BRIDGE} up)
        [[ $addresses == *" ${gateway} "* ]] || echo "bridge ${BRIDGE}: down, or without its address ${gateway}"
    fi
    bridged=' '
    if has ${BRIDGE}; then on_bridge; fi
    pod_interface() {
        [[ $bridged == *" $1 "* ]] || echo "interface $1 of a pod: not on ${BRIDGE}"
    }
    pod_interfaces
    route() {
        [[ $(ip route show "$1") == "via $2 "* || $(ip route show "$1") == *" via $2 "* ]] || echo "route $1 via $2: gone or changed"
    }
    routes
    chain filter KUBENET-FORWARD
    chain filter KUBENET-LOCAL
    chain nat KUBENET-POSTROUTING
    jump() {
        iptables --wait -t "$1" -C "$2" -j "$4" 2>/dev/null || echo "iptables $1: no rule in $2 goes to $4"
    }
    jumps
}

# chain TABLE NAME: compares a chain with its rules above.
chain() {
    if [ "$(grep -e "^-A $2 " <<<"$rules" | tr -d '"')" != "$(iptables --wait -t "$1" -S "$2" 2>/dev/null | grep -e "^-A $2 " | tr -d '"')" ]; then
        echo "iptables $1: rules of $2 are gone or changed"
    fi
}

down() {
    ip route flush proto ${PROTOCOL} 2>/dev/null || true
    jump() {
        while iptables --wait -t "$1" -D "$2" -j "$4" 2>/dev/null; do :; done
    }
    jumps
    for chain in "filter KUBENET-FORWARD" "filter KUBENET-LOCAL" "nat KUBENET-POSTROUTING"; do
        read -r table name <<<"$chain"
        iptables --wait -t "$table" -F "$name" 2>/dev/null || true
        iptables --wait -t "$table" -X "$name" 2>/dev/null || true
    done
    ip link del ${BRIDGE} 2>/dev/null || true
}

"$1"
`;
}

const UNIT = `[Unit]
Description=Pod network of this node: routes, forwarding, masquerading
Documentation=https://kubernetes.io/docs/concepts/cluster-administration/networking/
After=network-online.target
Wants=network-online.target
Before=kubelet.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/bash ${SCRIPT} up
ExecReload=/bin/bash ${SCRIPT} up
ExecStop=/bin/bash ${SCRIPT} down

[Install]
WantedBy=multi-user.target
`;

/**
 * kubenet from its parts: since Kubernetes 1.24 no kubelet has it built in, and it never was more than a bridge, an
 * address range per node, and routes between the nodes that had to come from elsewhere.
 */
export class Kubenet extends Component implements PodNetwork {
    readonly ready: Readonly<Record<string, pulumi.Resource>>;

    constructor(args: PodNetworkArgs, parent: Component) {
        super("kubelab:network:Kubenet", parent.resourceName, { parent });
        const { spec } = args;
        const reached = (name: BringUpStep): boolean => spec.steps.includes(name);
        const stage = { routes: reached("routes"), rules: reached("network") };
        const nodes = args.nodes.map(({ node, machine }) => ({
            node: { ...withPodCidr(node), ...(reached("pod-cidrs") ? {} : spec.bridgeRange) },
            machine,
        }));
        const neighbours = pulumi.all(
            nodes.map(({ node, machine }) =>
                pulumi.output(machine.privateAddress).apply((address) => ({
                    name: node.name,
                    address,
                    podCidr: node.podCidr,
                    podGateway: node.podGateway,
                    zone: node.zone,
                })),
            ),
        );
        const steps = nodes.map(({ node, machine }) => {
            const network = step(
                `${node.name}-kubenet`,
                {
                    machine,
                    undo: true,
                    script: neighbours.apply((all) => {
                        const self = all.find(({ name }) => name === node.name);
                        if (self === undefined) {
                            throw new Error(`${node.name} isn't among the nodes of the pod network`);
                        }
                        return {
                            create: [
                                "once kubenet",
                                `note check kubenet 'bash ${SCRIPT} check'`,
                                ...putAll([
                                    {
                                        path: "/etc/iproute2/rt_protos.d/kubenet.conf",
                                        content: `${PROTOCOL} kubenet\n`,
                                    },
                                    {
                                        path: SCRIPT,
                                        content: routeScript(self, all, spec.podCidr, stage),
                                    },
                                    { path: "/etc/systemd/system/kubenet.service", content: UNIT },
                                    { path: "/etc/cni/net.d/10-kubenet.conflist", content: cniConfiguration(node) },
                                ]),
                                "service_run kubenet || service_healthy kubenet 0 false",
                            ],
                            delete: [
                                "once kubenet",
                                "service_down kubenet",
                                `rm -f ${SCRIPT} /etc/cni/net.d/10-kubenet.conflist /etc/iproute2/rt_protos.d/kubenet.conf`,
                            ],
                        };
                    }),
                    dependsOn: [machine.ready],
                },
                this,
            );
            return [node.name, network] as const;
        });
        this.ready = Object.fromEntries(steps);
        this.registerOutputs({ ready: this.ready });
    }

    connected({ memberships }: RegisteredNodes): readonly pulumi.Resource[] {
        return memberships;
    }
}
