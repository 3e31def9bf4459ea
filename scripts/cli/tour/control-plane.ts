import { AGNHOST, controlPlane, IMAGE, kubectl, lastNode, type Look, type Reached, shell, type Stop } from "./stop";

/** The stops at etcd, the API server and those who work for it. */
export function etcd(at: Reached): Stop {
    const files = "--cacert /etc/etcd/ca.crt --cert /etc/etcd/client.crt --key /etc/etcd/client.key";
    return {
        step: "etcd",
        added: `etcd, the one place where the cluster's state is kept. It speaks TLS only, and only to who has a certificate${pod(at)}.`,
        looks: [
            shell(
                controlPlane(at),
                `etcdctl --endpoints https://127.0.0.1:2379 ${files} endpoint health`,
                /is healthy/,
                { seconds: 30 },
            ),
            kubectl("get nodes --request-timeout=3s", /refused|was refused|no route|timeout/i, {
                why: "Nobody speaks Kubernetes yet:",
            }),
        ],
        missing: "kubectl has nobody to talk to: there is no API server.",
    };
}

export function apiServer(at: Reached): Stop {
    const { spec, comes } = at;
    const later = comes("controller-manager");
    const deployment: Look[] = [
        kubectl(`create deployment web --image=${IMAGE}`, /created/),
        kubectl("get deployments,replicasets,pods", /deployment.apps\/web +0\/1 +0 +0/, {
            why: "The API server has stored the Deployment, and nobody does anything about it:",
        }),
    ];
    return {
        step: "api-server",
        added: `The API server, the only one who talks to etcd${pod(at)}. Roles, and who you are, come with it.`,
        looks: [
            kubectl("get namespaces", /^default +Active/m, { seconds: 30 }),
            kubectl("auth whoami", /kubelab:admin/),
            ...(later ? deployment : []),
            ...(spec.steps.includes("scheduler") || !at.done("network") ? [] : placedByHand(at)),
        ],
        ...(later ? { missing: "a Deployment stays at 0 pods: there is no controller manager." } : {}),
    };
}

export function controllerManager(): Stop {
    return {
        step: "controller-manager",
        added: "The controller manager: loops that make what is there into what is asked for. The Deployment gets its ReplicaSet, that its pod.",
        looks: [
            kubectl("get deployments,replicasets,pods", /pod\/web-\S+ +0\/1 +Pending/, { seconds: 60 }),
            kubectl("get pods -o wide", /Pending .*<none>/, { why: "The pod has no node:" }),
        ],
        missing: "the pod stays Pending: there is no scheduler that gives it a node.",
    };
}

export function scheduler(at: Reached): Stop {
    const nodes = at.done("network");
    return {
        step: "scheduler",
        added: "The scheduler: it looks for pods without a node and writes one into them.",
        looks: [
            nodes
                ? kubectl("rollout status deployment/web --timeout=90s", /successfully rolled out/, { seconds: 90 })
                : kubectl("describe pods -l app=web", /no nodes available to schedule pods/, {
                      why: "It says why it can't:",
                      seconds: 60,
                  }),
        ],
        ...(nodes ? {} : { missing: "the pod stays Pending: the cluster has no nodes." }),
    };
}

/** Without a scheduler a person gives a pod its node. */
export function placedByHand(at: Reached): Look[] {
    const node = lastNode(at);
    const pod = (name: string, spec: object): object => ({
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name },
        spec: { containers: [{ name, image: AGNHOST, args: ["netexec", "--http-port=8080"] }], ...spec },
    });
    return [
        kubectl("create -f -", /created/, {
            why: "Two pods, one of them with a node's name in it:",
            objects: [pod("waits", {}), pod("placed", { nodeName: node })],
            seconds: 30,
        }),
        kubectl("get pods -o wide", /^placed +1\/1 +Running .*\n(.*\n)*waits +0\/1 +Pending/m, {
            why: "The kubelet of that node runs its own; the other waits for a scheduler for ever:",
            seconds: 90,
        }),
    ];
}

function pod({ spec }: Reached): string {
    return spec.hosting === "static-pods" ? ", and runs as a pod of its machine's kubelet" : "";
}
