import { placedByHand } from "./control-plane";
import { AGNHOST, controlPlane, kubectl, lastNode, type Look, type Reached, shell, type Stop } from "./stop";
import { PORTS } from "../../../components/cluster-spec/ports";

/** The stops at what runs on every node, and at the service proxy and the DNS. */
export function machines(at: Reached): Stop {
    return {
        step: "machines",
        added: "Machines with systemd and an SSH server, prepared for Kubernetes: kernel modules, sysctls, the API's name in /etc/hosts.",
        looks: [
            shell(lastNode(at), "uname -n; sysctl net.ipv4.ip_forward", /net.ipv4.ip_forward = 1/),
            shell(lastNode(at), "ps -eo comm= | grep -c -e kube -e etcd -e containerd || true", /^0$/m, {
                why: "Processes of Kubernetes:",
            }),
        ],
    };
}

export function containerd(at: Reached): Stop {
    return {
        step: "containerd",
        added: "containerd, which pulls images and starts containers when it is told to.",
        looks: [
            shell(lastNode(at), "ctr version", /Server:\s+Version: +v\d/),
            shell(lastNode(at), "ctr -n k8s.io containers ls", /^CONTAINER +IMAGE +RUNTIME *$/m),
        ],
        missing: "nobody tells it to start anything.",
    };
}

export function kubelet(at: Reached): Stop {
    const hasApi = at.done("api-server");
    return {
        step: "kubelet",
        added: "The kubelet: it sees to it that the pods of its node run, whoever names them to it.",
        looks: hasApi
            ? [
                  kubectl("get nodes", /NotReady/, { seconds: 60 }),
                  kubectl("describe node", /cni plugin not initialized/, {
                      why: "It has registered its node, and says what is missing:",
                      seconds: 30,
                  }),
              ]
            : [
                  shell(controlPlane(at), `curl -sS http://127.0.0.1:${PORTS.kubeletHealth}/healthz; echo`, /^ok$/m),
                  shell(
                      controlPlane(at),
                      "journalctl -u kubelet --no-pager -o cat | grep -c 'connection refused' || true",
                      /\d/,
                      {
                          why: "It asks for an API server that isn't there, and lives with that:",
                      },
                  ),
              ],
        missing: "pods get no network.",
    };
}

/** What to see when pods have a network: at its last step. */
export function afterNetwork(at: Reached): Look[] {
    const { spec, done } = at;
    const kubeletAlone = spec.hosting === "static-pods" && !done("etcd");
    if (kubeletAlone) {
        return [...staticPod(at)];
    }
    if (!spec.steps.includes("scheduler")) {
        return placedByHand(at);
    }
    return done("scheduler")
        ? [
              kubectl("get nodes", /^\S+ +Ready/m, { seconds: 60 }),
              kubectl("rollout status deployment/web --timeout=120s", /successfully rolled out/, { seconds: 120 }),
              ...unproxied(at),
          ]
        : [];
}

/** A kubelet alone: what lies in its directory runs. */
function staticPod(at: Reached): Look[] {
    const pod = {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: "hello" },
        spec: { containers: [{ name: "hello", image: AGNHOST, args: ["netexec", "--http-port=8080"] }] },
    };
    const node = controlPlane(at);
    return [
        shell(
            node,
            `echo '${JSON.stringify(pod)}' >/etc/kubernetes/manifests/hello.json; ls /etc/kubernetes/manifests`,
            /hello.json/,
            {
                why: "A file in its directory is a pod. There is no API server to ask:",
            },
        ),
        shell(
            node,
            "for address in $(ls /var/lib/cni/networks/*/ | grep '^[0-9]'); do curl -sS --max-time 2 http://$address:8080/hostname; echo; done",
            /^hello-/m,
            { why: "It answers at the address that the pod network gave it:", seconds: 60 },
        ),
    ];
}

/** A service without an endpoint that answers. */
function unproxied(at: Reached): Look[] {
    return [
        kubectl("expose deployment web --port=80", /exposed/),
        kubectl("get service,endpointslices", /endpointslice\S+web-\S+ +IPv4 +80 +\d/, {
            why: "The service has an address and an endpoint:",
            seconds: 30,
        }),
        ...(at.spec.serviceProxy[at.spec.workers.length > 0 ? "worker" : "control-plane"] === "ipvs"
            ? []
            : [
                  shell(lastNode(at), SERVICE, /^no answer$/m, {
                      why: "Nobody makes packets to the first go to the second:",
                  }),
              ]),
    ];
}

/** Asks the service `web` on a node: `WEB` is its address. */
const SERVICE = "curl -s --max-time 3 http://WEB | grep title || echo no answer";

export function kubeProxy(at: Reached): Stop {
    const looks = at.done("controller-manager")
        ? at.spec.nodes.map(({ name }) => shell(name, SERVICE, /Welcome to nginx/, { seconds: 30 }))
        : [shell(lastNode(at), `curl -sS http://127.0.0.1:${PORTS.kubeProxyHealth}/livez`, /nodeEligible|healthy|\{/)];
    return {
        step: "kube-proxy",
        added: `kube-proxy: it writes rules (${at.spec.proxyMode}) on every node that send a service's packets to its pods.`,
        looks,
        ...(at.comes("dns") ? { missing: "services have addresses, and no names." } : {}),
    };
}

export function dns(): Stop {
    return {
        step: "dns",
        added: "CoreDNS: it asks the API server for services and answers with their addresses. The cluster is whole.",
        looks: [
            // A node hears of the DNS's pods a moment after they are ready.
            kubectl(
                "run ask --image=curlimages/curl --restart=Never --command -- curl -sS --retry 5 --retry-all-errors http://web",
                /created/,
            ),
            kubectl("logs ask", /Welcome to nginx/, { why: "A pod asks for a service by its name:", seconds: 60 }),
        ],
    };
}
