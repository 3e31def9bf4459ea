import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { eventually, story } from "../support/lab";
import { NODE_PORT, PathLab } from "../support/path-lab";

story("the path of a packet on kubenet", () => {
    let lab: PathLab;
    /** Address of a pod, a service or a node. */
    const addressOf = (what: string): string => {
        const path = what.startsWith("service/") ? "{.spec.clusterIP}" : "{.status.podIP}";
        return lab.kubectl("get", what, "-o", `jsonpath=${path}`).trim();
    };
    const nodeAddress = (name: string): string =>
        lab.outputs().nodes.find((node) => node.name === name)?.address ?? "none";

    beforeAll(() => {
        lab = new PathLab("path", "10.243.1.0/24");
        lab.configure({ network: "kubenet", controlPlanes: 1, workers: 2 });
    }, 120_000);
    afterAll(() => {
        lab.remove();
    }, 120_000);

    it("is on a lab with pods to go between", () => {
        lab.up();
        lab.createPods();
    }, 600_000);

    it("stays on the bridge between pods of one node, there and back", () => {
        const hops = lab.wholePath("client", "near");
        expect(hops.every(({ machine }) => machine === "worker-1")).toBe(true);
        const request = PathLab.way(hops, "request");
        expect(request[0]).toBe("worker-1 pod default/client");
        expect(request).toContain("worker-1 bridge cbr0");
        expect(request.at(-1)).toBe("worker-1 pod default/near");
        expect(request.filter((hop) => hop.includes(" route "))).toEqual([]);
        const reply = PathLab.way(hops, "reply");
        expect(reply[0]).toBe("worker-1 pod default/near");
        expect(reply.at(-1)).toBe("worker-1 pod default/client");
    }, 120_000);

    it("goes by kubenet's route over this host's bridge to a pod of another node", () => {
        const hops = lab.wholePath("client", "far");
        const route = hops.find(({ place, machine }) => place === "route" && machine === "worker-1");
        expect(route).toMatchObject({
            direction: "request",
            name: `10.99.2.0/24 via ${nodeAddress("worker-2")} dev eth0`,
            component: "kubenet.service",
            seen: true,
            command: expect.stringContaining("ip route get") as string,
        });
        expect(Date.now() - Date.parse(route?.set.at ?? "")).toBeLessThan(3_600_000);
        expect(PathLab.way(hops, "request")).toContain("here host-bridge lab-test-path");
        const forward = hops.find(({ name }) => name.includes("KUBENET-FORWARD"));
        expect(forward).toMatchObject({ machine: "worker-1", place: "rule", component: "kubenet.service" });
        expect(PathLab.way(hops, "request").at(-1)).toBe("worker-2 pod default/far");
        expect(PathLab.way(hops, "reply").at(-1)).toBe("worker-1 pod default/client");
    }, 120_000);

    it("shows where kube-proxy replaces a service's address, and that the answer gets it back", () => {
        const [service, far] = [addressOf("service/web"), addressOf("pod/far")];
        const hops = lab.wholePath("client", "service/web");
        const translation = hops.find(({ what }) => what.includes(`${service}:80 → ${far}:80`));
        expect(translation).toMatchObject({ machine: "worker-1", place: "rule", component: "kube-proxy", seen: true });
        expect(Date.now() - Date.parse(translation?.set.at ?? "")).toBeLessThan(3_600_000);
        const back = hops.find(({ name, direction }) => direction === "reply" && name === "connection tracking");
        expect(back?.what).toContain(`source ${far}:80 → ${service}:80`);
    }, 120_000);

    it("asks the cluster's DNS as the pod does, and follows the question", () => {
        const hops = lab.wholePath("client", "web.default");
        const name = hops.find(({ place }) => place === "dns");
        expect(name?.what).toMatch(/^asked 10\.32\.0\.10 for web\.default\.default\.svc\.cluster\.local: NXDOMAIN; /);
        expect(name?.what).toContain(`web.default.svc.cluster.local: ${addressOf("service/web")}`);
        const question = hops.filter(({ leg }) => leg === "name");
        expect(
            question.some(({ what, component }) => component === "kube-proxy" && what.includes("10.32.0.10:53 → ")),
        ).toBe(true);
        expect(
            question.filter(({ place, direction }) => place === "pod" && direction === "reply").length,
        ).toBeGreaterThan(0);
    }, 120_000);

    it("follows a connection from here to a node's port, with the masquerade that brings the answer back", () => {
        const hops = lab.wholePath("here", `worker-1:${NODE_PORT}`);
        expect(PathLab.way(hops, "request")[0]).toBe("here process this host");
        const masquerade = hops.find(
            ({ what }) => what.includes(`→ ${nodeAddress("worker-1")}:`) && what.includes("source "),
        );
        expect(masquerade).toMatchObject({ machine: "worker-1", component: "kube-proxy", direction: "request" });
        expect(PathLab.way(hops, "reply").at(-1)).toBe("here process this host");
    }, 120_000);

    it("follows a node's own connection to a pod of another node", () => {
        const hops = lab.wholePath("cp-1", "far");
        expect(PathLab.way(hops, "request")[0]).toBe("cp-1 process cp-1");
        expect(PathLab.way(hops, "request").at(-1)).toBe("worker-2 pod default/far");
    }, 120_000);

    it("is lost at the route where one is missing, with the one that should be there; and whole after the remedy", () => {
        lab.ssh("worker-1", "ip route del 10.99.2.0/24");
        const hop = lab.lostHop("client", "far");
        expect(hop).toMatchObject({ machine: "worker-1", place: "route", direction: "request" });
        expect(hop.lost?.why).toContain("default route");
        expect(hop.lost?.should).toBe(`10.99.2.0/24 via ${nodeAddress("worker-2")}, set by kubenet.service`);
        expect(hop.lost?.remedy).toContain("ssh --stack test-path worker-1 -- systemctl reload kubenet");
        lab.ssh("worker-1", "systemctl reload kubenet");
        lab.wholePath("client", "far");
    }, 180_000);

    it("is lost on the way back where the other node has no route", () => {
        lab.ssh("worker-2", "ip route del 10.99.1.0/24");
        expect(lab.lostHop("client", "far")).toMatchObject({
            machine: "worker-2",
            place: "route",
            direction: "reply",
            lost: { should: `10.99.1.0/24 via ${nodeAddress("worker-1")}, set by kubenet.service` },
        });
        lab.ssh("worker-2", "systemctl reload kubenet");
        lab.wholePath("client", "far");
    }, 180_000);

    it("is lost at the rule that drops it, and says that nobody of the cluster put it there", () => {
        lab.ssh("worker-2", "iptables -I FORWARD -p tcp --dport 80 -j DROP");
        const hop = lab.lostHop("client", "far");
        expect(hop).toMatchObject({
            machine: "worker-2",
            place: "rule",
            component: "nobody of the cluster",
            lost: { should: "no such rule" },
        });
        expect(hop.lost?.why).toContain("-A FORWARD -p tcp -m tcp --dport 80 -j DROP");
        const remedy = hop.lost?.remedy?.split(" -- ")[1] ?? "false";
        lab.ssh("worker-2", remedy);
        lab.wholePath("client", "far");
    }, 180_000);

    it("is lost at kube-proxy's rule where a service has no endpoint, with the labels that a pod should have", async () => {
        lab.kubectl("label", "pod", "far", "app-");
        await eventually(30, () =>
            expect(lab.lostHop("client", "service/web")).toMatchObject({ component: "kube-proxy" }),
        );
        const hop = lab.lostHop("client", "service/web");
        expect(hop).toMatchObject({ machine: "worker-1", place: "rule", component: "kube-proxy" });
        expect(hop.lost?.why).toContain("the service default/web has no ready endpoint");
        expect(hop.lost?.should).toBe("a ready pod with the labels app=far in the namespace default");
        lab.kubectl("label", "pod", "far", "app=far");
        await eventually(30, () => lab.wholePath("client", "service/web"));
    }, 240_000);

    it("is lost at the pod where nothing listens", () => {
        expect(lab.lostHop("client", "far:81")).toMatchObject({
            machine: "worker-2",
            place: "pod",
            lost: { should: "a process that listens on port 81" },
        });
    }, 120_000);

    it("is lost where a name is asked for that is not there, with each question and its answer", () => {
        const hop = lab.lostHop("client", "nowhere.default:80");
        expect(hop).toMatchObject({ place: "dns", machine: "worker-1" });
        expect(hop.lost?.why).toMatch(/nowhere\.default\.svc\.cluster\.local \(NXDOMAIN\)/);
    }, 180_000);

    it("is lost on the way to the DNS where that is scaled away", async () => {
        lab.kubectl("-n", "kube-system", "scale", "deployment", "coredns", "--replicas=0");
        await eventually(60, () =>
            expect(lab.kubectl("-n", "kube-system", "get", "pods", "-l", "k8s-app=kube-dns", "-o", "name")).toBe(""),
        );
        await eventually(30, () => expect(lab.lostHop("client", "web.default").leg).toBe("name"));
        const hop = lab.lostHop("client", "web.default");
        expect(hop).toMatchObject({ leg: "name", place: "rule", component: "kube-proxy" });
        expect(hop.lost?.why).toContain("kube-system/kube-dns has no ready endpoint");
        lab.kubectl("-n", "kube-system", "scale", "deployment", "coredns", "--replicas=2");
        lab.kubectl("-n", "kube-system", "rollout", "status", "deployment/coredns", "--timeout=120s");
        await eventually(30, () => lab.wholePath("client", "web.default"));
    }, 300_000);

    it("refuses a wrong TO before anything is sent, with exit code 1", () => {
        const { code, stderr, stdout } = lab.run("path", ["client", "fra:80"]);
        expect(code).toBe(1);
        expect(stderr + stdout).toContain("Did you mean far?");
    }, 60_000);

    it("prints the hops with the command that shows each by hand, and those commands work", () => {
        const text = lab.succeed("path", ["client", "far"]);
        expect(text).toMatch(/whole: there and back, \d+ of \d+ hops seen/);
        const commands = lab
            .wholePath("client", "service/web")
            .flatMap(({ command, machine }) =>
                command?.includes(" -- ") === true ? [{ machine, line: command.split(" -- ")[1] ?? "" }] : [],
            );
        expect(commands.length).toBeGreaterThan(8);
        for (const { machine, line } of commands.filter(({ line: each }) => !each.startsWith("conntrack"))) {
            expect(lab.ssh(machine, line).trim()).not.toBe("");
        }
    }, 240_000);

    it("leaves nothing on the machines, nor when it is interrupted", async () => {
        const run = lab.start("path", ["client", "far:9"]);
        await eventually(60, () => expect(lab.ssh("worker-1", "nft list tables")).toContain("kubelab-path"));
        run.endAll();
        await eventually(20, () => {
            for (const node of ["cp-1", "worker-1", "worker-2"]) {
                expect(lab.leftOn(node)).toBe("");
            }
            expect(readdirSync("/tmp").filter((name) => name.startsWith("kubelab-path-"))).toEqual([]);
            expect(spawnSync("nft", ["list", "tables"], { encoding: "utf8" }).stdout).not.toContain("kubelab-path-");
        });
    }, 180_000);
});
