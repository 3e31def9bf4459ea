import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CHECKS, renderCis, resultOf } from "../../../scripts/cli/cis";
import { type Facts, parseFacts } from "../../../scripts/cli/cis/facts";
import { MANUAL } from "../../../scripts/cli/cis/manual";
import { apiServerProcess } from "../../../components/control-plane/api-server";
import { controllerManagerProcess } from "../../../components/control-plane/controller-manager";
import { etcdProcess } from "../../../components/control-plane/etcd";
import { schedulerConfiguration, schedulerProcess } from "../../../components/control-plane/scheduler";
import { kubeletConfiguration, kubeletProcess } from "../../../components/node/kubelet";
import { shellcheck, testWith } from "../../support/bash";
import { FACTS, testSpec } from "../../support/spec";

const MODES = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet"].map(
    (name) => `file 600 root:root /etc/systemd/system/${name}.service`,
);
const OWN = ["kube-scheduler", "kube-controller-manager"].map(
    (name) => `file 400 ${name}:${name} /etc/kubernetes/${name}/${name}.conf`,
);

/** What facts.sh prints on a control plane that runs what a spec's text says. */
function facts(config = {}, files: readonly string[] = [], mode = MODES): Facts {
    const spec = testSpec(config);
    const self = { name: "cp-1", address: "10.240.0.11" };
    const processes = [
        etcdProcess(spec, self),
        apiServerProcess(spec, self.address),
        controllerManagerProcess(spec),
        schedulerProcess(spec),
        kubeletProcess(spec, "cp-1", self.address, "control-plane"),
    ];
    const base64 = (text: string): string => Buffer.from(text).toString("base64");
    return parseFacts(
        [
            ...processes.flatMap(({ name, flags }) => flags.map((flag) => `arg ${name} --${flag.name}=${flag.value}`)),
            "arg kube-proxy --config=/etc/kubernetes/kube-proxy/kube-proxy.yaml",
            ...mode,
            ...OWN,
            "file 700 etcd:etcd /var/lib/etcd",
            "file 400 root:root /etc/kubernetes/super-admin.conf",
            "file 400 root:root /etc/kubernetes/kubelet/kubelet.conf",
            "file 600 root:root /etc/kubernetes/kubelet/kubelet.yaml",
            "file 400 etcd:etcd /etc/etcd/server.key",
            ...files,
            `config kubelet ${base64(kubeletConfiguration(spec, FACTS, "control-plane"))}`,
            `config kube-scheduler ${base64(schedulerConfiguration(spec))}`,
        ].join("\n"),
    );
}

const node = { name: "cp-1", role: "control-plane" } as const;
const results = (of: Facts) => CHECKS.map((check) => resultOf(check, [{ node, facts: of }], { podNetwork: "kubenet" }));
const failures = (of: Facts): string[] =>
    results(of).flatMap(({ id, state, why }) => (state === "fail" ? [`${id} ${why ?? ""}`] : []));

test("there are 65 scored checks, each once, and none of them is a person's", () => {
    const ids = CHECKS.map(({ id }) => id);
    expect(new Set(ids).size).toBe(65);
    expect(ids.filter((id) => id in MANUAL)).toEqual([]);
});

test("a cluster as it is by default passes, and says why where it isn't as the benchmark wants it", () => {
    expect(failures(facts())).toEqual([]);
    const reasons = results(facts()).filter(({ state }) => state === "reason");
    expect(reasons.map(({ id }) => id)).toEqual(["1.1.16", "1.1.18", "1.1.19", "4.2.6"]);
});

test.each([
    ["a flag that weakens it", { "kube-apiserver": { profiling: "true" } }, "1.2.15 cp-1: --profiling=true"],
    ["a short log", { "kube-apiserver": { "audit-log-maxage": "7" } }, "1.2.17 cp-1: --audit-log-maxage=7"],
    ["an open etcd", { etcd: { "client-cert-auth": "false" } }, "2.2 cp-1: --client-cert-auth=false"],
    [
        "an open kubelet",
        { kubelet: { "anonymous-auth": "true" } },
        '4.2.1 cp-1: authentication.anonymous.enabled is "true"',
    ],
])("%s fails", (_, flags, expected) => {
    const allowInsecure = Object.values<object>(flags).flatMap((each) => Object.keys(each));
    const insecure = allowInsecure.filter((flag) => flag !== "audit-log-maxage");
    expect(failures(facts({ flags, allowInsecure: insecure }))).toEqual([expected]);
});

test("files that others read fail, and a key of the wrong user", () => {
    const open = MODES.map((line) => line.replace("600", "644"));
    expect(failures(facts({}, [], open)).map((line) => line.split(" ")[0])).toEqual([
        ...["1.1.1", "1.1.3", "1.1.5", "1.1.7", "4.1.1"],
    ]);
    const stolen = "file 400 nobody:nogroup /etc/kubernetes/kube-scheduler/client.key";
    expect(failures(facts({}, [stolen]))).toEqual([
        "1.1.19 cp-1: /etc/kubernetes/kube-scheduler/client.key: owner nobody:nogroup",
    ]);
});

test("a process that isn't part of the cluster carries a reason", () => {
    const { flags, ...others } = facts();
    const { "kube-scheduler": _scheduler, ...rest } = flags;
    const without = { ...others, flags: rest };
    expect(_scheduler).toBeDefined();
    expect(results(without).find(({ id }) => id === "1.4.2")).toMatchObject({
        state: "reason",
        why: "kube-scheduler doesn't run here",
    });
});

test("the report counts", () => {
    const text = renderCis(results(facts()), false);
    expect(text).toContain("65 scored: 61 pass, 4 carry a reason, 0 fail. 66 are for a person to look at");
    expect(renderCis(results(facts()), true)).toContain("manual  5.6.4");
});

testWith("shellcheck")("the script that looks at machines passes shellcheck", () => {
    expect(shellcheck({ "facts.sh": readFileSync(join(__dirname, "../../../scripts/cli/cis/facts.sh"), "utf8") })).toBe(
        "",
    );
});
