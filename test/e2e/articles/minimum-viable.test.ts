import { article, articleLab, create, field, podOn, readyPod } from "../../support/article";
import { eventually, type Lab } from "../../support/lab";
import { Tour } from "../../support/tour";

const WEB = JSON.stringify(podOn(undefined, "web", "nginx"));

article("Minimum Viable Kubernetes", () => {
    let lab: Lab;
    /** Brings the cluster up; the tests look around where it waits. */
    let tour: Tour;

    beforeAll(() => {
        lab = articleLab("minimum-viable", "10.234.1.0/24");
        tour = new Tour(lab);
    });
    afterAll(async () => {
        await tour.leave();
        lab.remove();
    }, 120_000);

    it("starts with a kubelet alone, which runs a pod that no API server knows of", async () => {
        await tour.goTo("network");
        expect(lab.run("kubectl", ["get", "nodes", "--request-timeout=5s"]).stderr).toMatch(/refused/);
        lab.ssh("cp-1", `cat >/etc/kubernetes/manifests/web.json <<'POD'\n${WEB}\nPOD`);
        const page = await eventually(150, () => {
            const last = lab.ssh("cp-1", "ls /var/lib/cni/networks/bridge | grep ^10 | sort -V | tail -1").trim();
            return lab.ssh("cp-1", `curl -sS --max-time 2 http://${last}`);
        });
        expect(page).toContain("Welcome to nginx");
    }, 300_000);

    it("goes on with etcd and an API server as pods of that kubelet, which tells of all of them", async () => {
        expect(await tour.end()).toContain("The tour is complete.");
        await eventually(150, () => {
            const pods = lab.kubectl("get", "pods", "-A", "--no-headers", "-o", "custom-columns=:metadata.name");
            // Two of the tour's are pods of the API, and the other a file as well.
            const tours = ["hello-cp-1", "placed", "waits"];
            const all = ["etcd-cp-1", "kube-apiserver-cp-1", "web-cp-1", ...tours];
            expect(pods.trim().split(/\s+/).sort()).toEqual(all.sort());
        });
        expect(field(lab, "node/cp-1", "{.status.conditions[?(@.type=='Ready')].status}")).toBe("True");
    }, 300_000);

    it("has no controllers: the ServiceAccount of pods was made by hand, and gives them no token", () => {
        expect(field(lab, "serviceaccount/default", "{.automountServiceAccountToken}")).toBe("false");
        const units = lab.ssh("cp-1", "systemctl is-active kube-scheduler kube-controller-manager kube-proxy || true");
        expect(units.trim().split("\n")).toEqual(["inactive", "inactive", "inactive"]);
    });

    it("runs nginx in a pod that names its node, and a second pod reads its page", () => {
        create(lab, podOn("cp-1", "nginx", "nginx"), podOn("cp-1", "client", "curlimages/curl", ["sleep", "3600"]));
        const address = readyPod(lab, "nginx");
        readyPod(lab, "client");
        const page = lab.kubectl("exec", "client", "--", "curl", "-sS", "--max-time", "5", `http://${address}`);
        expect(page).toContain("Welcome to nginx");
    }, 180_000);

    it("leaves a pod that names no node Pending: there is no scheduler", () => {
        expect(field(lab, "pod/waits", "{.status.phase} {.spec.nodeName}")).toBe("Pending");
    });

    it("still answers when the kubelet is stopped, and its pods run on", () => {
        lab.ssh("cp-1", "systemctl stop kubelet");
        const address = field(lab, "pod/nginx", "{.status.podIP}");
        expect(lab.ssh("cp-1", `curl -sS --max-time 5 http://${address}`)).toContain("Welcome to nginx");
        lab.kubectl("delete", "pod", "waits", "--wait=false");
        lab.ssh("cp-1", "systemctl start kubelet");
    });
});
