import type { Pod } from "../../../scripts/inspect/objects";
import { type Evidence, ownerOfRoute, ownerOfRule } from "../../../scripts/path/owner";

const router: Pod = {
    metadata: {
        name: "kube-router-x",
        namespace: "kube-system",
        creationTimestamp: "2026-11-29T02:00:00Z",
        labels: { "k8s-app": "kube-router" },
    },
    spec: { containers: [] },
    status: {
        phase: "Running",
        containerStatuses: [
            {
                name: "kube-router",
                ready: true,
                restartCount: 0,
                state: { running: { startedAt: "2026-11-29T02:01:00Z" } },
            },
        ],
    },
};

function evidence(podNetwork: string, changes: Partial<Evidence> = {}): Evidence {
    return { podNetwork, facts: { kubenet: 1_795_917_660, "kube-proxy": 1_795_917_720 }, pods: [router], ...changes };
}

const rule = (
    table: string,
    chain: string,
    iptables?: string,
    comment?: string,
): Parameters<typeof ownerOfRule>[0] => ({
    ...{ family: "ip", table, chain, handle: 1 },
    ...(iptables === undefined ? {} : { iptables }),
    ...(comment === undefined ? {} : { comment }),
});

describe("a rule", () => {
    test.each([
        ["kube-proxy", "service-ABC", undefined, "kube-proxy"],
        ["nat", "KUBE-SEP-X", "-A KUBE-SEP-X -j DNAT", "kube-proxy"],
        ["filter", "FORWARD", "-A FORWARD -j KUBENET-FORWARD", "kubenet.service"],
        ["filter", "KUBENET-FORWARD", "-A KUBENET-FORWARD -s 10.99.0.0/16 -j ACCEPT", "kubenet.service"],
        ["filter", "KUBE-NWPLCY-DEFAULT", "-A KUBE-NWPLCY-DEFAULT -j MARK", "kube-router"],
        ["filter", "KUBE-FIREWALL", "-A KUBE-FIREWALL -j DROP", "kubelet"],
        ["nat", "FLANNEL-POSTRTG", "-A FLANNEL-POSTRTG -j MASQUERADE", "flannel"],
        ["nat", "CNI-HOSTPORT-DNAT", "-A CNI-HOSTPORT-DNAT -j CNI-DN-1", "CNI plugin"],
    ])("of the chain %s %s is known by it", (table, chain, iptables, component) => {
        expect(ownerOfRule(rule(table, chain, iptables), evidence("kubenet")).component).toBe(component);
    });

    test("of nobody of the cluster is known as such", () => {
        const foreign = ownerOfRule(rule("filter", "FORWARD", "-A FORWARD -p tcp -j DROP"), evidence("kubenet"));
        expect(foreign).toEqual({ component: "nobody of the cluster", set: { of: "unknown" }, isForeign: true });
    });

    test("of the lab's firewall on this host is kubelab's", () => {
        const own = rule(
            "filter",
            "FORWARD",
            "-A FORWARD -i lab-a -m comment --comment kubelab-a -j ACCEPT",
            "kubelab-a",
        );
        expect(ownerOfRule(own, evidence("kubenet", { lab: "a" })).component).toContain("kubelab");
        expect(ownerOfRule(own, evidence("kubenet", { lab: "b" })).isForeign).toBe(true);
    });

    test("has the time of its component's last sync, or of its start", () => {
        expect(ownerOfRule(rule("kube-proxy", "services"), evidence("kubenet")).set).toEqual({
            at: "2026-11-29T02:02:00Z",
            of: "last sync of kube-proxy",
        });
        expect(ownerOfRule(rule("filter", "KUBE-POD-FW-X"), evidence("kube-router")).set.at).toBe(
            "2026-11-29T02:01:00Z",
        );
    });
});

describe("a route", () => {
    test("is known by its protocol", () => {
        const owner = (route: Parameters<typeof ownerOfRoute>[0], network = "kubenet"): string =>
            ownerOfRoute(route, evidence(network)).component;
        expect(owner({ dst: "10.99.2.0/24", gateway: "10.240.0.22", protocol: "kubenet" })).toBe("kubenet.service");
        expect(owner({ dst: "10.99.2.0/24", gateway: "10.240.0.22", protocol: "75" })).toBe("kubenet.service");
        expect(owner({ dst: "10.99.2.0/24", gateway: "10.240.0.22", protocol: "17" }, "kube-router")).toBe(
            "kube-router",
        );
        expect(owner({ dst: "10.99.2.0/24", gateway: "10.240.0.22" }, "flannel")).toBe("flannel");
        expect(owner({ dst: "10.99.1.0/24", dev: "cbr0", protocol: "kernel" })).toContain("kernel");
        expect(owner({ dst: "10.99.2.0/24", gateway: "10.240.0.22", protocol: "99" })).toBe("unknown (protocol 99)");
    });

    test("of nobody known says that its time is unknown", () => {
        expect(ownerOfRoute({ dst: "192.0.2.0/24", protocol: "99" }, evidence("kubenet")).set).toEqual({
            of: "unknown",
        });
    });
});
