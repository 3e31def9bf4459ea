import type { Explanation } from "../../scripts/explain/explanation";
import { create, field, podOn, readyPod } from "../support/article";
import { eventually, Lab, story } from "../support/lab";

const NODES = ["cp-1", "worker-1", "worker-2"] as const;
const CNI_FILE = "/etc/cni/net.d/10-kubenet.conflist";
const CONTROLLERS = "/etc/systemd/system/kube-controller-manager.service";

/** A pod that its tests don't place, of one container. */
function pod(name: string, container: object, spec: object = {}): object {
    const containers = [{ name: "main", image: "nginx", imagePullPolicy: "IfNotPresent", ...container }];
    return {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name, labels: { app: name } },
        spec: { terminationGracePeriodSeconds: 0, containers, ...spec },
    };
}

story("explain", () => {
    let lab: Lab;

    beforeAll(() => {
        lab = new Lab("explain", "10.235.34.0/24");
        lab.up();
        lab.kubectl("create", "deployment", "web", "--image=nginx", "--replicas=2");
        lab.kubectl("expose", "deployment", "web", "--port=80");
        lab.kubectl("rollout", "status", "deployment/web", "--timeout=120s");
    }, 900_000);
    afterAll(() => {
        lab.remove();
    }, 120_000);

    function explain(resource: string, namespace = "default"): Explanation & { readonly code: number } {
        const { code, stdout, stderr } = lab.run("explain", [resource, "-n", namespace, "--json"], 60);
        if (!stdout.startsWith("{")) {
            throw new Error(`explain ${resource}: ${stdout}${stderr}`);
        }
        return { ...(JSON.parse(stdout) as Explanation), code };
    }

    /** Waits until the first stage that isn't done is somebody's, for this reason. @returns the explanation. */
    function explained(
        resource: string,
        responsible: string,
        reason: RegExp,
        namespace?: string,
    ): Promise<Explanation> {
        return eventually(45, () => {
            const found = explain(resource, namespace);
            expect(found).toMatchObject({ well: false, code: 1, fault: { responsible } });
            expect(found.summary).toMatch(reason);
            expect(found.fault?.next.length).toBeGreaterThan(0);
            return found;
        });
    }

    function well(resource: string): Promise<Explanation> {
        return eventually(60, () => {
            const found = explain(resource);
            expect(`${found.code} ${found.well ? "" : found.summary}`).toBe("0 ");
            return found;
        });
    }

    const said = ({ fault }: Explanation): string =>
        (fault?.said ?? []).flatMap(({ who, lines }) => lines.map((line) => `${who}: ${line}`)).join("\n");
    const evidence = ({ stages }: Explanation): string => stages.flatMap((stage) => stage.evidence).join("\n");

    it("has a chain for what is well: a service, its deployment, a node", async () => {
        const service = await well("service/web");
        expect(service.stages.map(({ stage }) => stage)).toEqual([
            ...["admitted", "selects pods", "pods ready", "addresses of their own", "EndpointSlices"],
            ...["rules on every node", "pods listen", "pods reached from every node", "answers on every node", "name"],
        ]);
        expect(evidence(service)).toMatch(/worker-2 → 10\.32\.0\.\d+:80: open/);
        expect((await well("deployment/web")).summary).toBe("2 of 2 pods are ready.");
        expect((await well("node/worker-1")).summary).toBe("It is Ready.");
    }, 120_000);

    it("refuses what isn't there, with names like it", () => {
        const { code, stderr } = lab.run("explain", ["deployment/wbe"]);
        expect([code, stderr.trim()]).toEqual([
            1,
            "There is no deployment/wbe in the namespace default. Did you mean web?",
        ]);
        expect(lab.run("explain", ["pots/web"]).stderr).toContain("Did you mean pods");
    });

    it("names the scheduler where a pod stays Pending without one", async () => {
        lab.ssh("cp-1", "systemctl stop kube-scheduler");
        lab.kubectl("run", "lonely", "--image=nginx");
        const found = await explained("pod/lonely", "scheduler", /no scheduler runs/);
        expect(found.fault?.nodes).toEqual(["cp-1"]);
        expect(said(found)).toMatch(/kube-scheduler on cp-1: .*Stopped kube-scheduler\.service/);
        lab.ssh("cp-1", "systemctl start kube-scheduler");
        await well("pod/lonely");
    }, 180_000);

    it("names the CNI plugin where a node has no configuration of one", async () => {
        lab.ssh("worker-1", `mv ${CNI_FILE} /root/`);
        create(lab, podOn("worker-1", "creating", "nginx"));
        const found = await explained("pod/creating", "CNI plugin", /^worker-1 has no CNI configuration/);
        expect(found.stages.find(({ state }) => state === "failed")?.stage).toBe("address");
        await explained("node/worker-1", "CNI plugin", /^worker-1 has no CNI configuration/);
        // containerd reads the directory when a file is written there, and not when one is moved there.
        lab.ssh("worker-1", `mv /root/${CNI_FILE.split("/").at(-1)} /etc/cni/net.d/`);
        await explained("pod/creating", "containerd", /is there, and containerd of worker-1 has not read it/);
        lab.ssh("worker-1", "systemctl restart containerd");
        await well("pod/creating");
    }, 240_000);

    it("names kube-proxy and its node where a new service has no rules", async () => {
        lab.ssh("worker-2", "systemctl stop kube-proxy");
        lab.kubectl("expose", "deployment", "web", "--port=80", "--name=late");
        const found = await explained(
            "service/late",
            "kube-proxy",
            /^worker-2 has no rules for 10\.32\.0\.\d+: no kube-proxy runs/,
        );
        expect(found.fault?.nodes).toEqual(["worker-2"]);
        expect(evidence(await well("service/web"))).toContain(
            "worker-2: kube-proxy doesn't run; its rules are right still",
        );
        lab.ssh("worker-2", "systemctl start kube-proxy");
        await well("service/late");
    }, 180_000);

    it("names the node whose FORWARD chain drops packets", async () => {
        lab.ssh("worker-2", "iptables -D FORWARD -j KUBENET-FORWARD; iptables -P FORWARD DROP");
        const found = await explained("service/web", "pod network", /worker-2 drops packets .* -P FORWARD DROP/);
        expect(found.fault?.nodes).toEqual(["worker-2"]);
        expect(evidence(found)).toMatch(/cp-1 → 10\.99\.2\.\d+:80: timeout/);
        await explained("node/worker-2", "pod network", /FORWARD chain says -P FORWARD DROP/);
        // With kubenet's rules any policy will do.
        lab.ssh("worker-2", "systemctl reload kubenet");
        await well("service/web");
        lab.ssh("worker-2", "iptables -P FORWARD ACCEPT");
    }, 180_000);

    it("names the node whose pod has the address of a pod of another node", async () => {
        create(lab, podOn("worker-1", "first", "nginx"));
        const address = readyPod(lab, "first");
        // Another plugin's name and bridge, so that what the node's other pods have stays.
        lab.ssh(
            "worker-2",
            `cp ${CNI_FILE} /root/; sed -e 's/"kubenet"/"twins"/; s/cbr0/cbr1/; s/10\\.99\\.2\\./10.99.1./g' -e 's/"subnet"/"rangeStart": "${address}", "rangeEnd": "${address}", "subnet"/' /root/10-kubenet.conflist >${CNI_FILE}`,
        );
        create(lab, podOn("worker-2", "second", "nginx"));
        await eventually(60, () => expect(field(lab, "pod/second", "{.status.podIP}")).toBe(address));
        const found = await explained("pod/second", "pod network", new RegExp(`^The address ${address} occurs twice`));
        expect(found.fault?.nodes).toEqual(["worker-2"]);
        expect(evidence(found)).toContain("worker-2 gives addresses out of 10.99.1.0/24; its podCIDR is 10.99.2.0/24");
        await explained("node/worker-2", "pod network", /out of the same range/);
        lab.kubectl("delete", "pod", "second", "--grace-period=1");
        lab.ssh("worker-2", `cat /root/10-kubenet.conflist >${CNI_FILE}; ip link delete cbr1`);
        await well("pod/first");
        await well("node/worker-2");
    }, 240_000);

    it("names the controller manager where a namespace has no ServiceAccount, so pods no token", async () => {
        lab.ssh(
            "cp-1",
            `cp ${CONTROLLERS} /root/; sed -i 's/--controllers=[*],/&-serviceaccount-controller,/' ${CONTROLLERS}; systemctl daemon-reload; systemctl restart kube-controller-manager`,
        );
        lab.kubectl("create", "namespace", "bare");
        lab.kubectl("-n", "bare", "create", "deployment", "web", "--image=nginx");
        const found = await explained(
            "deployment/web",
            "controller manager",
            /^No token: the ServiceAccount default of bare/,
            "bare",
        );
        expect(said(found)).toContain("replicaset-controller: FailedCreate");
        lab.ssh(
            "cp-1",
            `cp /root/kube-controller-manager.service ${CONTROLLERS}; systemctl daemon-reload; systemctl restart kube-controller-manager`,
        );
        await eventually(90, () => expect(explain("deployment/web", "bare").summary).toBe("1 of 1 pods are ready."));
    }, 240_000);

    describe("of pods and deployments whose author has to act", () => {
        beforeAll(() => {
            create(
                lab,
                pod("no-image", { image: "registry.example.invalid/nothing:1" }),
                pod("crashes", { image: "curlimages/curl", command: ["sh", "-c", "echo fatal: no colour; exit 3"] }),
                pod("unready", { readinessProbe: { httpGet: { path: "/ready", port: 80 }, periodSeconds: 1 } }),
                pod("large", { resources: { requests: { memory: "900Gi" } } }),
                pod("kept-off", {}, { nodeSelector: { "kubernetes.io/hostname": "cp-1" } }),
                pod("secretless", { envFrom: [{ secretRef: { name: "no-such" } }] }),
            );
            lab.kubectl("create", "quota", "pods", "--namespace=bare", "--hard=pods=1");
            lab.kubectl("-n", "bare", "scale", "deployment/web", "--replicas=2");
            lab.kubectl("create", "service", "clusterip", "wbe", "--tcp=80");
        }, 60_000);

        it.each([
            [
                "pod/no-image",
                "containerd",
                /doesn't get the image registry\.example\.invalid\/nothing:1: .*(not found|resolve)/,
            ],
            ["pod/crashes", "container", /^The container main ends with exit code 3\.$/],
            ["pod/unready", "container", /readiness probe \(GET \/ready at port 80\) fails: .*404/],
            ["pod/large", "scheduler", /Insufficient memory/],
            ["pod/kept-off", "scheduler", /untolerated taint/],
            ["pod/secretless", "author", /secret "no-such" not found/],
            ["service/wbe", "author", /selects app=wbe, and no pod has these labels/],
        ])(
            "explains %s by %s",
            async (resource, responsible, reason) => {
                const found = await explained(resource, responsible, reason);
                if (resource === "pod/crashes") {
                    expect(said(found)).toContain("container main: fatal: no colour");
                }
            },
            90_000,
        );

        it("explains a deployment by the quota of its namespace, and as well when that allows more", async () => {
            await explained("deployment/web", "admission", /^The quota pods of bare/, "bare");
            lab.kubectl("-n", "bare", "delete", "quota", "pods");
            // The controller tries again when it sees a change.
            lab.kubectl("-n", "bare", "rollout", "restart", "deployment/web");
            await eventually(60, () => expect(explain("deployment/web", "bare").well).toBe(true));
        }, 180_000);
    });

    it("names a node's kubelet that doesn't run, for the node and for its pods", async () => {
        lab.ssh("worker-1", "systemctl stop kubelet");
        const found = await explained("node/worker-1", "kubelet", /^kubelet of worker-1 doesn't run/);
        expect(said(found)).toContain("Stopped kubelet.service");
        await explained("pod/first", "kubelet", /has started the pod, and doesn't run any more/);
        lab.ssh("worker-1", "systemctl start kubelet");
        await well("node/worker-1");
        await well("pod/first");
    }, 180_000);

    it("names the API server where nothing can be read", async () => {
        lab.ssh("cp-1", "systemctl stop kube-apiserver");
        await explained("pod/first", "API server", /^No API server runs/);
        lab.ssh("cp-1", "systemctl start kube-apiserver");
        await well("pod/first");
        for (const node of NODES) {
            await well(`node/${node}`);
        }
    }, 180_000);
});
