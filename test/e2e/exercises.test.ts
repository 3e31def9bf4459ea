import { NO_CHANGES, Lab, story } from "../support/lab";
import { solvedBothWays, type Way } from "../support/exercise";

const KUBECTL = "scripts/lab kubectl -n exercise";
const WORKER = "scripts/lab ssh worker-1 --";
const patch = (object: string, content: unknown, type = "merge"): string =>
    `${KUBECTL} patch ${object} --type ${type} -p '${JSON.stringify(content)}'`;
const ofPods = (deployment: string, spec: object): string =>
    patch(`deployment ${deployment}`, { spec: { template: { spec } } });

/** Of each exercise on containers and kubenet: another way than the documented one. few-exercises.test.ts has those that are left out. */
const ON_KUBENET: Readonly<Record<string, Way>> = {
    "lost-worker": ["scripts/lab repair worker-1"],
    "locked-out": ["scripts/lab repair cp-1"],
    nameless: [
        ofPods("till", {
            dnsPolicy: "None",
            dnsConfig: { nameservers: ["10.32.0.10"], searches: ["exercise.svc.cluster.local"] },
        }),
    ],
    "no-delivery": [
        patch(
            "deployment courier",
            [{ op: "replace", path: "/spec/template/spec/containers/0/imagePullPolicy", value: "IfNotPresent" }],
            "json",
        ),
    ],
    "one-of-three": [`${KUBECTL} delete resourcequota team`, `${KUBECTL} scale deployment shop --replicas=3`],
    "stuck-creating": [`${WORKER} mv /etc/cni/net.d/05-flannel.conflist /root/`],
    "wrong-door": [`${KUBECTL} delete service shop`, `${KUBECTL} expose deployment shop --port=80 --target-port=8080`],
    "moving-out": [`${WORKER} mount -o remount,size=1g /var/lib/kubelet`, `${WORKER} systemctl restart kubelet`],
    "nobody-decides": ["scripts/lab repair cp-1"],
    "no-names-anywhere": [
        "scripts/lab kubectl -n kube-system get configmap coredns -o yaml | " +
            "sed 's/forward [.] [0-9.]*/forward . 192.0.2.53/' | scripts/lab kubectl apply -f -",
        "scripts/lab kubectl -n kube-system delete pods -l k8s-app=kube-dns",
        "scripts/lab kubectl -n kube-system rollout status deployment coredns --timeout=60s",
    ],
    "old-addresses": ["scripts/lab repair worker-1"],
    "pods-turned-away": ["scripts/lab repair cp-1"],
    "no-new-containers": ["scripts/lab repair worker-1", `${KUBECTL} delete pods -l app=till`],
    "rush-hour": [`${WORKER} conntrack -F`],
    "small-talk": [
        `${WORKER} iptables -t mangle -I FORWARD -p tcp --tcp-flags SYN,RST SYN -m comment --comment till -j TCPMSS --set-mss 1000`,
    ],
    "talk-to-yourself": [
        `${WORKER} 'for each in $(ip -o link show master cbr0 | grep -o "veth[0-9a-f]*"); do bridge link set dev $each hairpin on; done'`,
    ],
    "wrong-callers": ["scripts/lab repair worker-1"],
    neighbours: [ofPods("kiosk", { nodeSelector: { "kubernetes.io/hostname": "worker-2" } })],
};

story("exercises on kubenet", () => {
    let lab: Lab;

    beforeAll(() => {
        lab = new Lab("exercises", "10.247.1.0/24");
        lab.up();
    }, 900_000);
    afterAll(() => {
        lab.remove();
    }, 120_000);

    Object.entries(ON_KUBENET).forEach(([name, another]) => {
        solvedBothWays(() => lab, name, another);
    });

    it("leave a cluster that works, and is as `up` left it", () => {
        lab.succeed("verify", [], 300);
        expect(lab.upChanges()).toEqual(NO_CHANGES);
    }, 600_000);
});

story("exercises with three control planes and kube-router", () => {
    let lab: Lab;

    beforeAll(() => {
        lab = new Lab("exercises-3", {
            local: { network: "10.247.2.0/24" },
            network: "cni",
            cniPlugin: "kube-router",
            controlPlanes: 3,
            workers: 1,
        });
        lab.up();
    }, 900_000);
    afterAll(() => {
        lab.remove();
    }, 120_000);

    solvedBothWays(() => lab, "no-entry", [
        patch("deployment till", { spec: { template: { metadata: { labels: { role: "client" } } } } }),
    ]);
    solvedBothWays(() => lab, "two-of-three", [
        "scripts/lab ssh cp-2 -- 'systemctl stop etcd; rm -rf /var/lib/etcd/member'",
        "scripts/lab repair cp-2",
    ]);

    it("leave a cluster that works, and is as `up` left it", () => {
        lab.succeed("verify", [], 300);
        expect(lab.upChanges()).toEqual(NO_CHANGES);
    }, 600_000);
});

story("exercises with a control plane of static pods", () => {
    let lab: Lab;

    beforeAll(() => {
        lab = new Lab("exercises-pods", { local: { network: "10.247.3.0/24" }, hosting: "static-pods", workers: 1 });
        lab.up();
    }, 900_000);
    afterAll(() => {
        lab.remove();
    }, 120_000);

    solvedBothWays(() => lab, "silent-pods", ["scripts/lab repair cp-1"]);

    it("leave a cluster that works", () => {
        lab.succeed("verify", [], 300);
    }, 600_000);
});
