import { writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { parse } from "yaml";
import { apiServerProcess, authenticationConfiguration } from "../../../components/control-plane/api-server";
import { controllerManagerProcess } from "../../../components/control-plane/controller-manager";
import { etcdProcess } from "../../../components/control-plane/etcd";
import { schedulerConfiguration, schedulerProcess } from "../../../components/control-plane/scheduler";
import { type Process, renderUnit } from "../../../components/steps/process";
import { containerdProcess } from "../../../components/node/containerd";
import { kubeProxyProcess } from "../../../components/node/kube-proxy";
import { kubeletProcess } from "../../../components/node/kubelet";
import type { ClusterSpec, FlaggedComponent } from "../../../components/cluster-spec/types";
import { temporaryDirectory, testWith } from "../../support/bash";
import { testSpec } from "../../support/spec";
import { FLAG_RULES } from "../../../components/cluster-spec/flags";
import { refuseOwnedFlag } from "../../../components/steps/flag-rules";

const SELF = { name: "cp-1", address: "10.240.0.11" };

/** Every process of the cluster, as it runs on one machine. */
function processes(spec: ClusterSpec): Process[] {
    return [
        etcdProcess(spec, SELF),
        apiServerProcess(spec, SELF.address),
        controllerManagerProcess(spec),
        schedulerProcess(spec),
        containerdProcess(),
        kubeletProcess(spec, "worker-1", "10.240.0.21", "worker"),
        kubeProxyProcess(spec, "worker-1"),
    ];
}

const all = processes(testSpec());
const named = all.map((process) => [process.name, process] as const);

function flagsOf({ flags }: Process): Record<string, string> {
    return Object.fromEntries(flags.map(({ name, value }) => [name, value]));
}

test.each(named)("the unit of %s", (name, process) => {
    expect(renderUnit(process, `/usr/local/bin/${name}`, `sha256 of ${name}: 0`)).toMatchSnapshot();
});

testWith("systemd-analyze")("systemd finds nothing wrong with any unit", () => {
    const directory = temporaryDirectory();
    try {
        const files = all.map((process) => {
            const file = join(directory.path, `${process.name}.service`);
            const unit = renderUnit(process, "/bin/true", "").replace(/^(User|Group)=.*$/gm, "$1=root");
            // The manual isn't on the host that runs the tests.
            writeFileSync(file, unit.replace(/^Documentation=.*\n/m, ""));
            return file;
        });
        const { status, stderr } = spawnSync("systemd-analyze", ["verify", "--man=no", ...files], { encoding: "utf8" });
        expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    } finally {
        directory.remove();
    }
});

test("each part of the control plane runs as a user of its own that isn't root", () => {
    expect(all.map(({ name, user }) => [name, user])).toEqual([
        ["etcd", "etcd"],
        ["kube-apiserver", "kube-apiserver"],
        ["kube-controller-manager", "kube-controller-manager"],
        ["kube-scheduler", "kube-scheduler"],
        ["containerd", "root"],
        ["kubelet", "root"],
        ["kube-proxy", "root"],
    ]);
});

test("a process reads its configuration and credentials from its own directory only", () => {
    for (const process of all.filter(({ name }) => name !== "containerd" && name !== "etcd")) {
        const paths = process.flags.map(({ value }) => value).filter((value) => value.startsWith("/"));
        // A kubelet writes its kubeconfig itself, and the API server its audit log.
        const own = [
            `/etc/kubernetes/${process.name}/`,
            `/var/log/kubernetes/${process.name}/`,
            "/var/lib/kubelet/kubeconfig",
        ];
        expect(paths.filter((path) => !own.some((each) => path.startsWith(each)))).toEqual([]);
    }
});

test.each<FlaggedComponent>([
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
])("kubelab:flags reach %s and nobody else", (component) => {
    const verbose = component === "etcd" ? { "log-level": "debug" } : { v: "6" };
    const [flag, value] = Object.entries(verbose)[0] as [string, string];
    const changed = processes(testSpec({ flags: { [component]: verbose } })).filter(
        (process) => flagsOf(process)[flag] === value,
    );
    expect(changed.map(({ name }) => name)).toEqual([component]);
});

test("no flag that names a file, a directory or an address of kubelab's is the user's to set", () => {
    for (const { name, flags } of all.filter((process) => process.name !== "containerd")) {
        const made = flags.filter(({ value }) => /^\/|^https?:|^\d+\.\d+\.\d+\.\d+/.test(value));
        const rules = FLAG_RULES[name as FlaggedComponent];
        expect([name, made.filter((each) => refuseOwnedFlag(rules, each.name) === undefined)]).toEqual([name, []]);
    }
});

describe("etcd", () => {
    const flags = flagsOf(etcdProcess(testSpec(), SELF));

    test("speaks TLS to clients and peers, and wants a certificate of both", () => {
        expect(flags).toMatchObject({ "client-cert-auth": "true", "peer-client-cert-auth": "true" });
        const urls = Object.entries(flags).filter(([name]) => name.endsWith("-urls") || name === "initial-cluster");
        expect(urls).toHaveLength(5);
        expect(urls.filter(([, value]) => /(^|[,=])(?!https:)\w+:\/\//.test(value))).toEqual([]);
    });

    test("begins a cluster of its own where it is the only member", () => {
        expect(flags).toMatchObject({
            "initial-cluster": "cp-1=https://10.240.0.11:2380",
            "initial-cluster-state": "new",
        });
    });

    test("has no list of members in its unit where there are several: none restarts when another one comes", () => {
        const unit = (controlPlanes: number, others: readonly string[]): string => {
            const process = etcdProcess(testSpec({ controlPlanes }), SELF, others);
            return renderUnit(process, "/usr/local/bin/etcd", "");
        };
        const three = unit(3, ["10.240.0.12", "10.240.0.13"]);
        expect(three).toBe(unit(5, ["10.240.0.12", "10.240.0.13", "10.240.0.14", "10.240.0.15"]));
        expect(three).toContain("EnvironmentFile=-/etc/etcd/initial-cluster.env\n");
        expect(three).not.toMatch(/--initial-cluster(-state)?=|election-timeout|10\.240\.0\.12/);
    });
});

describe("the API server", () => {
    const flags = flagsOf(apiServerProcess(testSpec(), SELF.address));

    test("lets nobody in without asking RBAC, and a kubelet only to what is its own", () => {
        expect(flags).toMatchObject({
            "authorization-mode": "Node,RBAC",
            "enable-admission-plugins": "NodeRestriction,DenyServiceExternalIPs,EventRateLimit",
            "service-account-extend-token-expiration": "false",
        });
        expect(flags["anonymous-auth"]).toBeUndefined();
    });

    test("answers who has no credentials on the health paths and nowhere else", () => {
        expect(parse(authenticationConfiguration(testSpec()))).toEqual({
            apiVersion: "apiserver.config.k8s.io/v1",
            kind: "AuthenticationConfiguration",
            anonymous: { enabled: true, conditions: [{ path: "/livez" }, { path: "/readyz" }, { path: "/healthz" }] },
        });
    });

    test("answers everybody everywhere only where that was asked for by name", () => {
        const open = testSpec({
            flags: { "kube-apiserver": { "anonymous-auth": "true" } },
            allowInsecure: ["anonymous-auth"],
        });
        expect(parse(authenticationConfiguration(open))).toMatchObject({ anonymous: { enabled: true } });
        expect(authenticationConfiguration(open)).not.toContain("conditions");
        // The API server refuses the flag beside the file.
        expect(flagsOf(apiServerProcess(open, SELF.address))["anonymous-auth"]).toBeUndefined();
    });

    test("adds a user's admission plugins and feature gates to its own", () => {
        const own = {
            "enable-admission-plugins": "PodNodeSelector",
            "feature-gates": "A=true",
            "runtime-config": "b=true",
        };
        expect(flagsOf(apiServerProcess(testSpec({ flags: { "kube-apiserver": own } }), SELF.address))).toMatchObject({
            "enable-admission-plugins": "NodeRestriction,DenyServiceExternalIPs,EventRateLimit,PodNodeSelector",
            "feature-gates": "A=true",
            "runtime-config": "b=true",
        });
    });

    test("doesn't enable a plugin that was disabled by name, which it would refuse", () => {
        const flags = { "kube-apiserver": { "disable-admission-plugins": "NodeRestriction" } };
        const spec = testSpec({ flags, allowInsecure: ["disable-admission-plugins"] });
        expect(flagsOf(apiServerProcess(spec, SELF.address))["enable-admission-plugins"]).toBe(
            "DenyServiceExternalIPs,EventRateLimit",
        );
        expect(spec.insecure.map(({ component, flag }) => [component, flag])).toEqual([
            ["kube-apiserver", "disable-admission-plugins"],
        ]);
    });

    test("checks who a kubelet is before it asks for logs", () => {
        expect(flags["kubelet-certificate-authority"]).toBe("/etc/kubernetes/kube-apiserver/ca.crt");
    });
});

describe("the controller manager", () => {
    test("gives each controller the rights of its own role", () => {
        expect(flagsOf(controllerManagerProcess(testSpec()))["use-service-account-credentials"]).toBe("true");
    });

    test("hands out pod CIDRs where the pod network takes them from the Node objects", () => {
        const cni = { ...testSpec(), network: "cni" as const };
        expect(flagsOf(controllerManagerProcess(cni))).toMatchObject({
            "allocate-node-cidrs": "true",
            "cluster-cidr": "10.99.0.0/16",
            "node-cidr-mask-size": "24",
        });
        expect(flagsOf(controllerManagerProcess(testSpec()))["allocate-node-cidrs"]).toBe("false");
    });
});

test("profiling is off everywhere", () => {
    expect(flagsOf(apiServerProcess(testSpec(), SELF.address))["profiling"]).toBe("false");
    expect(flagsOf(controllerManagerProcess(testSpec()))["profiling"]).toBe("false");
    expect(parse(schedulerConfiguration(testSpec()))).toMatchObject({ enableProfiling: false });
});

test("leaders are elected where there are several to choose from", () => {
    const one = testSpec();
    const three = testSpec({ controlPlanes: 3 });
    expect(flagsOf(controllerManagerProcess(one))["leader-elect"]).toBe("false");
    expect(flagsOf(controllerManagerProcess(three))["leader-elect"]).toBe("true");
    expect(parse(schedulerConfiguration(one))).toMatchObject({ leaderElection: { leaderElect: false } });
    expect(parse(schedulerConfiguration(three))).toMatchObject({ leaderElection: { leaderElect: true } });
});
