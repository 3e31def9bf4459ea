import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { machineResolvConf } from "../../scripts/machines/resolv-conf";
import { eventually, Lab, NO_CHANGES, story } from "../support/lab";

const SECRET = "correct-horse-battery.example";
const NETWORK = "10.247.0.0/24";

story("changes of a running lab's config", () => {
    let lab: Lab;
    beforeAll(() => {
        lab = new Lab("config", { workers: 0, local: { network: NETWORK } });
    });
    afterAll(() => {
        lab.remove();
    });

    test("what a lab was given at first is merged: its own admission plugins stay on", () => {
        lab.up({ flags: { "kube-apiserver": { "enable-admission-plugins": "PodNodeSelector" } } });
        const unit = lab.ssh("cp-1", "cat /etc/systemd/system/kube-apiserver.service");
        expect(unit).toContain("--enable-admission-plugins=NodeRestriction,PodNodeSelector");
    });

    test.each([
        ["local", { network: "10.246.0.0/24" }, "local.network"],
        ["versions", { kubernetes: "1.34.0" }, "versions.kubernetes"],
        ["clusterDomain", "other.local", "clusterDomain"],
    ])("a change of %s is refused before anything is touched", (key, value, named) => {
        const boot = lab.ssh("cp-1", "cat /proc/uptime");
        const { code, stdout, stderr } = lab.run("up", ["--config", `kubelab:${key}=${text(value)}`]);
        expect(code).not.toBe(0);
        expect(`${stdout}${stderr}`).toContain(`kubelab:${named}:`);
        expect(Number(lab.ssh("cp-1", "cat /proc/uptime").split(" ")[0])).toBeGreaterThan(Number(boot.split(" ")[0]));
        expect(lab.upChanges()).toEqual(NO_CHANGES);
    });

    test("without a name server that a machine reaches, cluster names resolve and others fail with a line in the log", async () => {
        const root = mkdtempSync(join(tmpdir(), "loopback-only-"));
        try {
            mkdirSync(join(root, "etc"));
            writeFileSync(join(root, "etc/resolv.conf"), "nameserver 127.0.0.1\n");
            const resolvConf = machineResolvConf(NETWORK.replace(/\.0\/24$/, ".1"), root).trim();
            lab.ssh("cp-1", `cat >/etc/resolv.conf <<'END'\n${resolvConf}\nEND`);
            lab.kubectl("-n", "kube-system", "rollout", "restart", "deployment", "coredns");
            lab.kubectl("-n", "kube-system", "rollout", "status", "deployment", "coredns", "--timeout=90s");
            const ask = (name: string) => lab.run("ssh", ["cp-1", "--", `getent -s dns hosts ${name}`], 60);
            lab.ssh("cp-1", "cp /etc/resolv.conf /etc/resolv.conf.real; echo nameserver 10.32.0.10 >/etc/resolv.conf");
            await eventually(20, () => {
                expect(ask("kubernetes.default.svc.cluster.local").stdout).toContain("10.32.0.1");
            });
            expect(ask("outside.example.org").code).not.toBe(0);
            expect(lab.kubectl("-n", "kube-system", "logs", "-l", "k8s-app=kube-dns")).toMatch(/ERROR.*outside/);
            lab.ssh("cp-1", "mv /etc/resolv.conf.real /etc/resolv.conf");
        } finally {
            rmSync(root, { recursive: true });
        }
    });

    test("a secret flag is in no file of the stack, and in no output, in the clear", () => {
        const path = 'kubelab:flags["kube-apiserver"]["external-hostname"]';
        lab.succeed("pulumi", ["config", "set", "--secret", "--path", path, SECRET]);
        const said = lab.succeed("up", ["--verbose"]);
        expect(said).not.toContain(SECRET);
        expect(lab.ssh("cp-1", "cat /etc/systemd/system/kube-apiserver.service")).toContain(SECRET);
        const found = (directory: string): string =>
            execFileSync("bash", ["-c", 'grep -rlF "$1" "$2" || true', "bash", SECRET, directory], {
                encoding: "utf8",
            });
        expect(found(lab.directory)).toBe("");
        expect(found(lab.stateFile)).toBe("");
    });
});

function text(value: unknown): string {
    return typeof value === "string" ? value : JSON.stringify(value);
}
