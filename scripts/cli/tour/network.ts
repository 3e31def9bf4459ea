import { AGNHOST, controlPlane, kubectl, lastNode, type Look, type Reached, shell, type Stop } from "./stop";
import { afterNetwork } from "./node";

/** The stops of a pod network: kubenet comes in four, others in one or two. */
export function bridge(at: Reached): Stop {
    return {
        step: "bridge",
        added: "A bridge on every node, with one and the same range, as Docker makes it. Nodes are Ready, and pods get addresses.",
        looks: collision(at),
        missing: "two pods on two nodes can have one address, and there is no way from node to node.",
    };
}

export function podCidrs(at: Reached): Stop {
    return {
        step: "pod-cidrs",
        added: "A range of its own for every node: no two pods have one address any more.",
        looks: everywhere(at)
            ? [
                  kubectl("delete pods --all --wait=true --grace-period=1", /deleted/, {
                      why: "Pods keep the address that they were started with, so they are made anew:",
                  }),
                  kubectl("rollout status daemonset/everywhere --timeout=90s", /successfully rolled out/, {
                      seconds: 90,
                  }),
                  kubectl("get pods -l app=everywhere -o wide", /10\.\d+\.\d+\.\d+/),
                  shell(controlPlane(at), ACROSS, NO_ANSWER, {
                      why: "The control plane asks the pod on the last node:",
                  }),
              ]
            : [],
        missing: "a node doesn't know the way to the other nodes' pods.",
    };
}

export function routes(at: Reached): Stop {
    const looks = [
        shell(controlPlane(at), "ip route show proto 75", /via/),
        shell(lastNode(at), "iptables -S FORWARD | head -1", /-P FORWARD DROP/, {
            why: "Docker sets the policy for packets that are passed on, and so does this step:",
        }),
        shell(controlPlane(at), ACROSS, NO_ANSWER),
    ];
    return {
        step: "routes",
        added: "A route on every node to every other node's range.",
        looks: everywhere(at) ? looks : [],
        missing: "packets arrive at the other node, which drops them.",
    };
}

export function network(at: Reached): Stop {
    const across = at.spec.network !== "bridge" && everywhere(at) && at.done("scheduler");
    return {
        step: "network",
        added: {
            kubenet:
                "Rules that let packets between pods pass, and masquerade what leaves the cluster. The pod network is whole.",
            cni: `${at.spec.cniPlugin}, as a DaemonSet: it makes the way between nodes. The pod network is whole.`,
            bridge: "A bridge on every node, with one and the same range, as Docker makes it.",
        }[at.spec.network],
        looks: [
            ...(at.spec.network === "bridge" ? collision(at) : []),
            ...(across ? [shell(controlPlane(at), ACROSS, /^everywhere-/m, { seconds: 90 })] : []),
            ...afterNetwork(at),
        ],
        ...(at.comes("kube-proxy")
            ? { missing: "a service has an address at which nobody answers: there is no kube-proxy." }
            : {}),
    };
}

/** Whether pods can be had on several nodes, by a DaemonSet. */
function everywhere({ spec, done }: Reached): boolean {
    return spec.nodes.length > 1 && done("controller-manager");
}

/** Asks the DaemonSet's pod on the last node: `POD` is its address. */
const ACROSS = "curl -s --max-time 3 http://POD:8080/hostname | grep everywhere || echo no answer";
const NO_ANSWER = /^no answer$/m;

function collision(at: Reached): Look[] {
    if (!everywhere(at)) {
        return [];
    }
    const set = {
        apiVersion: "apps/v1",
        kind: "DaemonSet",
        metadata: { name: "everywhere" },
        spec: {
            selector: { matchLabels: { app: "everywhere" } },
            template: {
                metadata: { labels: { app: "everywhere" } },
                spec: {
                    tolerations: [{ operator: "Exists" }],
                    containers: [{ name: "agnhost", image: AGNHOST, args: ["netexec", "--http-port=8080"] }],
                },
            },
        },
    };
    return [
        kubectl("get nodes", /^\S+ +Ready/m, { seconds: 60 }),
        kubectl("create -f -", /created/, { why: "A pod on every node:", objects: [set] }),
        kubectl("rollout status daemonset/everywhere --timeout=90s", /successfully rolled out/, { seconds: 90 }),
        kubectl("get pods -o wide", /(10\.\d+\.\d+\.\d+) [\s\S]*\n.* \1 /, {
            why: "One address comes twice:",
            seconds: 60,
        }),
    ];
}
