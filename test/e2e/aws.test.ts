import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { labNames, machineNames } from "../../scripts/machines/names";
import { type AwsLab, reach } from "../support/aws/lab";
import type { Rule } from "../support/aws/model";
import { PlayedCluster } from "../support/aws/played-cluster";
import type { Upstream } from "../support/aws/upstream";
import { knownSecrets } from "../support/known-secrets";
import { eventually, NO_CHANGES, story } from "../support/lab";

const INTERNET = "10.235.242.1";
const ME = "10.235.241.1";
const NODES = ["cp-1", "worker-1", "worker-2"] as const;

story("a cluster on a played EC2, in one subnet", () => {
    let played: PlayedCluster;
    let upstream: Upstream;
    let lab: AwsLab;

    beforeAll(async () => {
        const around = {
            internet: INTERNET,
            serves: "releases and images",
            uplink: { network: "10.235.241.0/30", publicAddresses: "10.235.240.0/26" },
            own: /10\.235\.(\d|1[0-5]|24[012])\.|ec2-aws-one/,
        } as const;
        played = await PlayedCluster.begin("aws-one", around, { network: "10.235.0.0/20" });
        ({ lab, upstream } = played);
    }, 300_000);
    afterAll(async () => {
        await played.end();
    }, 120_000);

    it("comes up from an empty account, with nodes that download their own parts", () => {
        lab.succeed("up");
        expect(lab.kubectl("get", "nodes", "--no-headers").match(/ Ready /g)).toHaveLength(3);
        const asked = (node: string, program: string): boolean =>
            upstream
                .requests()
                .some((line) => line.startsWith(`${lab.publicAddressOf(node)} GET`) && line.endsWith(`/${program}`));
        expect(NODES.map((node) => asked(node, "kubelet"))).toEqual([true, true, true]);
        expect(NODES.map((node) => asked(node, "kube-apiserver"))).toEqual([true, false, false]);
    }, 300_000);

    it("passes every check of verify, by the Elastic IP", () => {
        const elastic = Object.values(lab.account.addresses).map(({ publicIp }) => publicIp);
        expect(lab.outputs().apiServer).toBe(`https://${elastic[0]}:6443`);
        expect(lab.succeed("verify", [], 300)).toMatch(/all \d+ checks passed/);
        expect(lab.run("status").code).toBe(0);
    }, 300_000);

    it("has machines with the name and the one host key that their user data planted, and the key pair's user", () => {
        const asked = "hostname; cloud-init status; id -un; ls /etc/ssh/*_key; wc -l <~/.ssh/authorized_keys";
        const answers = ["worker-1", "status: done", "admin", "/etc/ssh/ssh_host_ed25519_key", "1"];
        expect(lab.ssh("worker-1", asked).trim().split("\n")).toEqual(answers);
    }, 60_000);

    it("lets in SSH and the API from the allowed range, and nothing and nobody else", () => {
        const [controlPlane, worker] = [lab.publicAddressOf("cp-1"), lab.publicAddressOf("worker-1")];
        expect({
            "API from me": reach(ME, controlPlane, 6443),
            "SSH from me": reach(ME, worker, 22),
            "API from elsewhere": reach(INTERNET, controlPlane, 6443),
            "SSH from elsewhere": reach(INTERNET, worker, 22),
            "kubelet from me": reach(ME, worker, 10250),
            "etcd from me": reach(ME, controlPlane, 2379),
            "the API's port of a worker from me": reach(ME, worker, 6443),
        }).toEqual({
            "API from me": "open",
            "SSH from me": "open",
            "API from elsewhere": "closed",
            "SSH from elsewhere": "closed",
            "kubelet from me": "closed",
            "etcd from me": "closed",
            "the API's port of a worker from me": "closed",
        });
    }, 60_000);

    it("needs the rule for pods, and instances without the source/destination check", () => {
        const pod = lab.startPods();
        expect(lab.podAnswers(pod)).toBe(true);
        const { cloud } = lab;

        const [id = "", rule] =
            Object.entries(lab.account.rules).find(([, { cidrIpv4 }]) => cidrIpv4 === "10.99.0.0/16") ?? [];
        cloud.remove("rules", id);
        cloud.apply();
        expect(lab.podAnswers(pod)).toBe(false);
        cloud.put("rules", id, rule as Rule);
        cloud.apply();
        expect(lab.podAnswers(pod)).toBe(true);

        const worker = lab.instanceOf("worker-2");
        const check = (sourceDestCheck: boolean): void => {
            cloud.put("instances", worker, { ...cloud.instance(worker), sourceDestCheck });
            cloud.apply();
        };
        check(true);
        expect(lab.podAnswers(pod)).toBe(false);
        check(false);
        expect(lab.podAnswers(pod)).toBe(true);
        lab.kubectl("delete", "pod", "web", "neighbour", "--now");
    }, 180_000);

    it("is not touched by a second up, also when Debian has published a newer image", () => {
        lab.cloud.put("images", "ami-0bbbbbbbbbbbbbbbb", {
            ...{ name: "debian-12-amd64-20260201-1", owner: "136693071363", architecture: "x86_64" },
            creationDate: "2026-02-01T00:00:00.000Z",
        });
        expect(lab.upChanges()).toEqual(NO_CHANGES);
    }, 120_000);

    it("stops and starts its control plane for another type, and is found at the same address with what it knew", async () => {
        lab.kubectl("create", "configmap", "kept", "--from-literal=a=b");
        const { apiServer } = lab.outputs();
        const instance = lab.instanceOf("cp-1");
        lab.configure(lab.settings({ controlPlaneType: "t3.large" }));
        expect(lab.succeed("up", ["--preview"])).toMatch(/~ \S+-cp-1 aws:Instance to update .*\[instanceType\]/);
        expect(lab.upChanges()).toMatchObject({ created: 0, replaced: 0, deleted: 0 });
        expect(lab.instanceOf("cp-1")).toBe(instance);
        expect(lab.outputs().apiServer).toBe(apiServer);
        const asked = ["get", "configmap", "kept", "-o", "jsonpath={.data.a}"];
        await eventually(120, () => expect(lab.kubectl(...asked)).toBe("b"));
        // cloud-init has written nothing over the API endpoint's name at this boot.
        expect(lab.ssh("cp-1", `getent hosts api.${lab.stack}`)).toMatch(/^10\.235\.0\.11 /);
    }, 300_000);

    it("says in a preview that another image and type replace the workers, and replaces them one after the other, drained", async () => {
        await eventually(60, () => expect(lab.kubectl("get", "nodes", "--no-headers")).not.toMatch(/NotReady/));
        lab.kubectl("create", "deployment", "survivor", "--image=nginx", "--replicas=2");
        lab.kubectl("rollout", "status", "deployment/survivor", "--timeout=120s");
        const first = NODES.map((node) => lab.instanceOf(node));
        lab.configure(lab.settings({ controlPlaneType: "t3.large", workerType: "t3.large", ami: "latest" }));
        const preview = lab.succeed("up", ["--preview"]);
        expect(preview).toMatch(/± \S+-worker-1 aws:Instance to replace .*\[.*\bami\b.*\]/);
        expect(preview).toMatch(/± \S+-worker-2 aws:Instance to replace .*\[.*\binstanceType\b.*\]/);
        expect(preview).not.toMatch(/-cp-1 aws:Instance/);
        const printed = lab.succeed("up");
        const now = NODES.map((node) => lab.instanceOf(node));
        expect(now.map((id, index) => id === first[index])).toEqual([true, false, false]);
        expect(now.map((id) => lab.cloud.instance(id).ami.slice(0, 6))).toEqual(["ami-0a", "ami-0b", "ami-0b"]);
        // Launched and a member again; and only then the next one. A line is of the resource's replacement as a whole.
        const order = ["worker-1", "worker-2"].flatMap((name) => [
            `± ${lab.stack}-${name} aws:Instance`,
            `± ${lab.stack}-${name}-node command`,
        ]);
        const lines = printed.split("\n");
        const found = order.map((start) => lines.findIndex((line) => line.startsWith(start)));
        expect(found).not.toContain(-1);
        expect(found).toEqual([...found].sort((x, y) => x - y));
        lab.kubectl("rollout", "status", "deployment/survivor", "--timeout=120s");
        expect(lab.kubectl("get", "nodes", "--no-headers").match(/ Ready /g)).toHaveLength(3);
    }, 600_000);

    it("moves one worker to a second zone: that machine alone is made anew, with everything on it, and its pods have a route", () => {
        const first = NODES.map((node) => lab.instanceOf(node));
        const availabilityZones = ["eu-central-1a", "eu-central-1b"];
        const types = { controlPlaneType: "t3.large", workerType: "t3.large" };
        lab.up(lab.settings({ ...types, ami: "latest", availabilityZones }));
        expect(NODES.map((node, index) => lab.instanceOf(node) === first[index])).toEqual([true, true, false]);
        expect(lab.ssh("worker-2", "hostname -I")).toMatch(/^10\.235\.1\.22 /);
        expect(lab.ssh("worker-1", "ip route show proto 75").trim()).toMatch(/^10\.99\.255\.0\/24 via \S+ dev eth0$/);
        expect(lab.podAnswers(lab.startPods())).toBe(true);
        lab.kubectl("delete", "pod", "web", "neighbour", "--now");
        expect(lab.run("status").code).toBe(0);
    }, 300_000);

    it("leaves no secret in its state, its output, its user data or any log, but each machine's own host key in its user data", () => {
        const secrets = knownSecrets(lab);
        const known = new Set(secrets.map(({ of }) => of));
        const some = ["ssh-key", "secrets-encryption-key", "kubernetes-ca-key", "admin-key", "worker-2-host-key"];
        expect(some.filter((name) => !known.has(`${lab.stack}-${name}`))).toEqual([]);
        const { runDirectory } = labNames(lab.cloud.settings.account);
        const consoles = readdirSync(runDirectory).filter((name) => name.endsWith(".log"));
        expect(consoles).toHaveLength(3);
        const logs = "sudo journalctl --no-pager -o cat; sudo cat /var/log/cloud-init*.log";
        const texts: readonly (readonly [where: string, text: string])[] = [
            ["state", readFileSync(lab.stateFile, "utf8")],
            ["what was printed", lab.printed],
            ["requests for downloads", upstream.requests().join("\n")],
            ...Object.values(lab.account.instances).map(
                ({ userData, tags }) => [`user data of ${tags["Name"]}`, userData] as const,
            ),
            ...consoles.map((name) => [name, readFileSync(join(runDirectory, name), "utf8")] as const),
            ...NODES.map((node) => [`logs of ${node}`, lab.ssh(node, logs)] as const),
        ];
        expect(texts.filter(([, text]) => text.length < 100)).toEqual([]);
        const foundIn = (text: string): string[] => [
            ...new Set(secrets.filter((secret) => text.includes(secret.text)).map(({ of }) => of)),
        ];
        // The two files that are for the person, where they have to be found.
        expect(foundIn(readFileSync(join(lab.directory, "kubeconfig"), "utf8"))).toHaveLength(1);
        expect(foundIn(readFileSync(join(lab.directory, "ssh/id_ed25519"), "utf8"))).toEqual([`${lab.stack}-ssh-key`]);
        expect(texts.flatMap(([where, text]) => foundIn(text).map((of) => `${where}: ${of}`)).sort()).toEqual(
            NODES.map((node) => `user data of ${lab.stack}-${node}: ${lab.stack}-${node}-host-key`),
        );
    }, 120_000);

    it("goes down without a connection to any machine, and leaves nothing in the account and on this host", async () => {
        const machines = Object.keys(lab.account.instances).map((id) => machineNames(lab.cloud.settings.account, id));
        // Nobody gets in any more.
        for (const id of Object.keys(lab.account.rules)) {
            lab.cloud.remove("rules", id);
        }
        lab.cloud.apply();
        lab.succeed("down", [], 60);
        expect(machines.filter(({ directory }) => existsSync(directory))).toEqual([]);
        await played.expectNothingLeft();
    }, 120_000);
});
