import { answeringPod, article, articleLab, ask, create, field, newPods, readyPod } from "../../support/article";
import { eventually, type Lab, NO_CHANGES } from "../../support/lab";
import { askingPod, type Questions, questions, reached } from "../../support/traffic";

const NODES = ["cp-1", "worker-1"] as const;

/** A policy in the namespace `default`. */
function networkPolicy(name: string, spec: object): object {
    return { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name }, spec };
}

/** The server takes its friends on one port, and pods of the other namespace on another one. */
const INGRESS = networkPolicy("ingress", {
    podSelector: { matchLabels: { app: "server" } },
    policyTypes: ["Ingress"],
    ingress: [
        { from: [{ podSelector: { matchLabels: { role: "friend" } } }], ports: [{ port: 8080 }] },
        {
            from: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "other" } } }],
            ports: [{ port: 9090 }],
        },
    ],
});

/** The stranger asks nobody but friends. */
const EGRESS = networkPolicy("egress", {
    podSelector: { matchLabels: { app: "stranger" } },
    policyTypes: ["Egress"],
    egress: [{ to: [{ podSelector: { matchLabels: { role: "friend" } } }], ports: [{ port: 8080 }] }],
});

article("Hammering together the most basic Kubernetes cluster, by a plugin", () => {
    let lab: Lab;
    /** By name, what pods ask. */
    let urls: Readonly<Record<string, string>>;

    beforeAll(() => {
        lab = articleLab("cni", "10.234.8.0/24");
        lab.configure({ workers: 1, serviceProxy: "kube-proxy" });
    }, 300_000);
    afterAll(() => {
        lab.remove();
    }, 120_000);

    const bgpRoutes = (node: string): string[] =>
        lab
            .ssh(node, "ip -4 -o route show proto 17")
            .trim()
            .split("\n")
            .filter((line) => line !== "");

    /** Each kube-router's name, and the number of its BGP sessions. */
    const sessions = (): string[] => {
        const list = lab.kubectl("-n", "kube-system", "get", "pods", "-l", "k8s-app=kube-router", "-o", "name");
        return list
            .trim()
            .split("\n")
            .map((pod) => {
                const neighbours = lab.kubectl("-n", "kube-system", "exec", pod, "--", "gobgp", "neighbor");
                return `${pod} ${neighbours.match(/\bEstabl\b/g)?.length ?? 0}`;
            });
    };

    it("begins with one bridge range on all nodes: two pods have one address, and one hears itself for the other", () => {
        const { seconds } = lab.up({ stopAfter: "bridge" });
        console.log(`up from no machines to bridges: ${seconds.toFixed(1)} s`);
        const [first, second = ""] = newPods(lab, ...NODES);
        expect(second).toBe(first);
        expect(ask(lab, "on-cp-1", second)).toBe("on-cp-1");
        expect(ask(lab, "on-worker-1", second)).toBe("on-worker-1");
    }, 600_000);

    it("gets kube-router: every node has a range of its own, and pods reach each other both ways", () => {
        lab.up({ stopAfter: "network" });
        const [first = "", second = ""] = newPods(lab, ...NODES);
        const ranges = NODES.map((node) => field(lab, `node/${node}`, "{.spec.podCIDR}"));
        expect(new Set(ranges).size).toBe(2);
        expect(first).not.toBe(second);
        expect(ask(lab, "on-cp-1", second)).toBe("on-worker-1");
        expect(ask(lab, "on-worker-1", first)).toBe("on-cp-1");
        expect(lab.ssh("worker-1", "ls /etc/cni/net.d")).not.toContain("bridge");
        for (const [index, node] of NODES.entries()) {
            expect(bgpRoutes(node)).toEqual([expect.stringContaining(`${ranges[1 - index]} via 10.234.8.`)]);
        }
    }, 600_000);

    it("goes on to the whole cluster: verify passes, and a second up touches nothing", () => {
        lab.up({ stopAfter: undefined });
        lab.kubectl("delete", "pods", "--all", "--force", "--grace-period=0");
        const table = lab.succeed("verify");
        expect(table).toMatch(/all \d+ checks passed/);
        expect(table).toMatch(/✓ BGP sessions between all nodes .* 2 of 2 nodes with 1 sessions each/);
        expect(table).toMatch(/✓ a NetworkPolicy denies .* denied on one node, across nodes/);
        expect(lab.upChanges()).toEqual(NO_CHANGES);
    }, 400_000);

    it("lets kube-router do what it must in the API, and no more", () => {
        const user = "--as=system:serviceaccount:kube-system:kube-router";
        const rows = lab.kubectl("auth", "can-i", "--list", "--no-headers", user).trim().split("\n");
        const own = rows
            .map((row) => row.split(/\s+\[/))
            .filter(([resource = ""]) => !/^$|^\[|^selfsubject/.test(resource));
        expect(Object.fromEntries(own.map((columns) => [columns[0], columns.at(-1)?.replace("]", "")]))).toEqual({
            "endpointslices.discovery.k8s.io": "list watch",
            namespaces: "list watch",
            "networkpolicies.networking.k8s.io": "list watch",
            nodes: "get list watch",
            pods: "list watch",
            services: "list watch",
        });
    });

    describe("policies", () => {
        const labelled = (pod: object, labels: object, more: object = {}): object => {
            const { metadata, ...rest } = pod as { readonly metadata: object };
            return { ...rest, metadata: { ...metadata, labels, ...more } };
        };
        const whoReaches = (): Record<string, string[]> =>
            Object.fromEntries(["friend", "stranger", "guest.other"].map((pod) => [pod, reached(lab, pod, urls)]));
        const all = ["server:8080", "server:9090", "friend:8080", "API"];

        beforeAll(() => {
            lab.kubectl("create", "namespace", "other");
            create(
                lab,
                labelled(answeringPod("worker-1", "server", [8080, 9090]), { app: "server" }),
                labelled(answeringPod("worker-1", "friend"), { role: "friend" }),
                labelled(answeringPod("cp-1", "stranger"), { app: "stranger" }),
                labelled(answeringPod("cp-1", "guest"), { role: "friend" }, { namespace: "other" }),
            );
            const [address, friend] = ["server", "friend"].map((pod) => readyPod(lab, pod));
            urls = {
                "server:8080": `http://${address}:8080/hostname`,
                "server:9090": `http://${address}:9090/hostname`,
                "friend:8080": `http://${friend}:8080/hostname`,
                API: "https://10.32.0.1/readyz",
            };
            readyPod(lab, "stranger");
            lab.kubectl("-n", "other", "wait", "pod/guest", "--for=condition=Ready", "--timeout=90s");
        }, 180_000);

        it("are needed for anything to be refused", async () => {
            await eventually(20, () => {
                expect(whoReaches()).toEqual({ friend: all, stranger: all, "guest.other": all });
            });
        }, 60_000);

        it("take in who is named, on the port that is named: by label in the namespace, and another namespace's pods", async () => {
            create(lab, INGRESS);
            await eventually(20, () => {
                expect(whoReaches()).toEqual({
                    friend: ["server:8080", "friend:8080", "API"],
                    stranger: ["friend:8080", "API"],
                    "guest.other": ["server:9090", "friend:8080", "API"],
                });
            });
        }, 60_000);

        it("let out only to whom they name, and bind only the pods that they select", async () => {
            lab.kubectl("delete", "networkpolicy", "ingress");
            create(lab, EGRESS);
            await eventually(20, () => {
                expect(whoReaches()).toEqual({ friend: all, stranger: ["friend:8080"], "guest.other": all });
            });
            lab.kubectl("delete", "networkpolicy", "egress");
            await eventually(20, () => {
                expect(whoReaches()).toEqual({ friend: all, stranger: all, "guest.other": all });
            });
        }, 90_000);
    });

    it("lets a pod reach itself by its own service", async () => {
        lab.kubectl("expose", "pod", "server", "--port=8080");
        const service = field(lab, "service/server", "{.spec.clusterIP}");
        await eventually(20, () => {
            expect(reached(lab, "server", { itself: `http://${service}:8080/hostname` })).toEqual(["itself"]);
        });
    }, 60_000);

    describe("while pods ask each other across nodes, and a policy keeps one from it", () => {
        let before: readonly Questions[];
        const asked = (): Questions[] => ["friendly", "unfriendly"].map((pod) => questions(lab, pod));
        /** The friend got every answer, and the other one none. */
        const expectNothingLost = (least: number): void => {
            const [friendly, unfriendly] = asked();
            const answered = (friendly?.answered ?? 0) - (before[0]?.answered ?? 0);
            console.log(`${answered} questions answered`);
            expect(answered).toBeGreaterThan(least);
            expect(friendly?.lost).toBe(before[0]?.lost);
            expect(unfriendly?.answered).toBe(before[1]?.answered);
            expect(unfriendly?.lost).toBeGreaterThan(before[1]?.lost ?? 0);
        };

        beforeAll(() => {
            create(
                lab,
                INGRESS,
                askingPod("cp-1", "friendly", urls["server:8080"] ?? "", { role: "friend" }),
                askingPod("cp-1", "unfriendly", urls["server:8080"] ?? "", {}),
            );
        });
        beforeEach(async () => {
            // A policy takes a moment to see a new pod.
            await eventually(60, () => {
                const start = asked();
                const then = [start, asked()].map(([friendly]) => friendly);
                expect(then[1]?.lost).toBe(then[0]?.lost);
                expect(then[1]?.answered).toBeGreaterThan(then[0]?.answered ?? 0);
            });
            before = asked();
        }, 90_000);

        it("loses and lets through nothing while all pods of kube-router restart", async () => {
            const old = sessions();
            lab.kubectl("-n", "kube-system", "rollout", "restart", "daemonset/kube-router");
            lab.kubectl("-n", "kube-system", "rollout", "status", "daemonset/kube-router", "--timeout=180s");
            await eventually(60, () => {
                expect(sessions().map((line) => line.split(" ")[1])).toEqual(["1", "1"]);
            });
            expect(sessions().filter((line) => old.includes(line))).toEqual([]);
            expectNothingLost(50);
        }, 300_000);

        it("gets one more worker: sessions between all nodes, routes, and pods that reach each other", () => {
            lab.up({ workers: 2 });
            expect(sessions().map((line) => line.split(" ")[1])).toEqual(["2", "2", "2"]);
            for (const node of [...NODES, "worker-2"]) {
                expect(bgpRoutes(node)).toHaveLength(2);
            }
            create(lab, answeringPod("worker-2"));
            const address = readyPod(lab, "on-worker-2");
            expect(reached(lab, "stranger", { "worker-2": `http://${address}:8080/hostname` })).toEqual(["worker-2"]);
            expect(reached(lab, "on-worker-2", urls)).toEqual(["friend:8080", "API"]);
            expectNothingLost(50);
        }, 300_000);

        it("loses that worker, and the others their routes and sessions to it", async () => {
            lab.up({ workers: 1 });
            // The controller manager deletes the pods of a node that is gone after 40 to 60 seconds.
            await eventually(120, () => {
                expect(NODES.map((node) => bgpRoutes(node).length)).toEqual([1, 1]);
                expect(sessions().map((line) => line.split(" ")[1])).toEqual(["1", "1"]);
            });
            expectNothingLost(20);
        }, 300_000);
    });

    it("comes back by itself when a node reboots, and the policy with it", async () => {
        const boot = lab.ssh("worker-1", "systemctl show -P UserspaceTimestampMonotonic");
        lab.run("ssh", ["worker-1", "--", "systemctl reboot"], 30);
        await eventually(60, () => {
            expect(lab.ssh("worker-1", "systemctl show -P UserspaceTimestampMonotonic")).not.toBe(boot);
        });
        await eventually(90, () => expect(bgpRoutes("worker-1")).toHaveLength(1));
        await eventually(90, () => {
            const address = field(lab, "pod/server", "{.status.podIP}");
            const url = { server: `http://${address}:8080/hostname` };
            expect([reached(lab, "friend", url), reached(lab, "stranger", url)]).toEqual([["server"], []]);
        });
    }, 300_000);

    it("goes down", () => {
        lab.down();
    }, 120_000);
});
