import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { apiServerProcess } from "../../../components/control-plane/api-server";
import { controllerManagerProcess } from "../../../components/control-plane/controller-manager";
import { etcdProcess } from "../../../components/control-plane/etcd";
import { schedulerProcess } from "../../../components/control-plane/scheduler";
import { flag, renderUnit } from "../../../components/steps/process";
import { STEP_LIBRARY } from "../../../components/steps/script";
import { renderStaticPod } from "../../../components/steps/static-pod";
import { containerdProcess } from "../../../components/node/containerd";
import { bash, shellcheck, temporaryDirectory, testWith } from "../../support/bash";
import { testSpec } from "../../support/spec";

const SELF = { name: "cp-1", address: "10.240.0.11" };
const spec = testSpec({ hosting: "static-pods" });
const processes = [
    etcdProcess(spec, SELF),
    apiServerProcess(spec, SELF.address),
    controllerManagerProcess(spec),
    schedulerProcess(spec),
].map((process) => [process.name, process] as const);

interface Pod {
    readonly spec: {
        readonly hostNetwork: boolean;
        readonly priorityClassName: string;
        readonly securityContext: Readonly<Record<string, unknown>>;
        readonly containers: readonly [
            {
                readonly command: readonly string[];
                readonly image: string;
                readonly volumeMounts: readonly { readonly mountPath: string; readonly readOnly?: boolean }[];
                readonly livenessProbe: { readonly httpGet: { readonly host: string } };
            },
        ];
    };
}

test.each(processes)("the pod of %s", (_, process) => {
    expect(renderStaticPod(process)).toMatchSnapshot();
});

test.each(processes)("%s gets the same flags as a pod and as a unit", (name, process) => {
    const words = (parse(renderStaticPod(process)) as Pod).spec.containers[0].command;
    expect(words[0]).toBe(name);
    const unit = renderUnit(process, `/usr/local/bin/${name}`, "");
    const ofUnit = [...unit.matchAll(/^ {4}(--.*?)( \\)?$/gm)].map(([, word]) => word);
    expect(words.slice(1)).toEqual(ofUnit);
});

test.each(processes)("the pod of %s sees its own directory, read-only, and nobody else's", (_, process) => {
    const [container] = (parse(renderStaticPod(process)) as Pod).spec.containers;
    const writable = container.volumeMounts.filter(({ readOnly }) => readOnly !== true);
    const own: Readonly<Record<string, string[]>> = {
        etcd: ["/var/lib/etcd"],
        "kube-apiserver": ["/var/log/kubernetes/kube-apiserver"],
    };
    expect(writable.map(({ mountPath }) => mountPath)).toEqual(own[process.name] ?? []);
    const paths = process.flags.map(({ value }) => value).filter((value) => value.startsWith("/"));
    const mounted = (path: string): boolean =>
        container.volumeMounts.some(({ mountPath }) => path.startsWith(mountPath));
    expect(paths.filter((path) => !mounted(path))).toEqual([]);
});

test.each(processes)(
    "the pod of %s isn't root, is asked on loopback and goes last when memory is short",
    (_, process) => {
        const pod = (parse(renderStaticPod(process)) as Pod).spec;
        expect(pod).toMatchObject({
            hostNetwork: true,
            priorityClassName: "system-node-critical",
            securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
        });
        expect(pod.containers[0].livenessProbe.httpGet.host).toBe("127.0.0.1");
    },
);

test("a value that YAML would read as something else reaches the process as it is", () => {
    const odd = schedulerProcess(spec);
    const flags = [flag("a", "yes: no # x"), flag("b", '"quoted" $(VAR) {}'), flag("c", "- 1e3", "line: one")];
    const pod = parse(renderStaticPod({ ...odd, flags })) as Pod;
    expect(pod.spec.containers[0].command.slice(1)).toEqual([
        ...["--a=yes: no # x", '--b="quoted" $$(VAR) {}', "--c=- 1e3"],
    ]);
});

test("a process that says nothing of pods can't become one", () => {
    expect(() => renderStaticPod(containerdProcess())).toThrow("containerd doesn't run as a pod");
});

test("what etcd begins with is decided on the machine, in the manifest as in the unit", () => {
    const process = etcdProcess(testSpec({ hosting: "static-pods", controlPlanes: 3 }), SELF, ["10.240.0.12"]);
    const [container] = (parse(renderStaticPod(process)) as Pod).spec.containers;
    expect(container).toMatchObject({
        env: [
            { name: "ETCD_INITIAL_CLUSTER", value: "KUBELAB_ENV_ETCD_INITIAL_CLUSTER" },
            { name: "ETCD_INITIAL_CLUSTER_STATE", value: "KUBELAB_ENV_ETCD_INITIAL_CLUSTER_STATE" },
        ],
    });
    expect(container.command.filter((word) => word.startsWith("--initial-cluster="))).toEqual([]);
    expect(renderUnit(process, "/usr/local/bin/etcd", "")).toContain(
        "\nEnvironmentFile=-/etc/etcd/initial-cluster.env\n",
    );
});

describe("on the machine", () => {
    const host = join(__dirname, "../../../components/steps");
    const functions = readFileSync(join(host, "static-pod.sh"), "utf8");
    const directory = temporaryDirectory();
    afterAll(directory.remove);

    testWith("shellcheck")("its functions pass shellcheck", () => {
        expect(shellcheck({ "static-pod.sh": functions })).toBe("");
    });

    /** Puts the manifest of the scheduler in a directory of the test's own. */
    function putManifest(): string {
        const { status, stderr } = bash(
            [
                "set -euo pipefail",
                STEP_LIBRARY.replace("/etc/kubernetes/manifests", join(directory.path, "manifests")).replaceAll(
                    "root:root",
                    '"$(id -un):$(id -gn)"',
                ),
                `mkdir -p ${directory.path}/config`,
                `chown() { :; }`,
                `mv() { echo "$*" >>${directory.path}/moved; command mv "$@"; }`,
                `static_pod_put kube-scheduler "$(id -un)" ${directory.path}/config <<'MANIFEST'\n${renderStaticPod(schedulerProcess(spec))}MANIFEST`,
            ].join("\n"),
        );
        expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
        return readFileSync(join(directory.path, "manifests/kube-scheduler.yaml"), "utf8");
    }

    test.each([
        [
            "a member that joins",
            'ETCD_INITIAL_CLUSTER="a=https://x:1,b=https://y:1"\nETCD_INITIAL_CLUSTER_STATE="existing"\n',
        ],
        ["the first member", "ETCD_INITIAL_CLUSTER=a=https://x:1,b=https://y:1\nETCD_INITIAL_CLUSTER_STATE=existing\n"],
        ["one that has data from before", undefined],
    ])("the manifest of %s has the variables of its file", (_, file) => {
        const process = etcdProcess(testSpec({ hosting: "static-pods", controlPlanes: 3 }), SELF, ["10.240.0.12"]);
        const path = `${directory.path}/initial-cluster.env`;
        if (file !== undefined) {
            writeFileSync(path, file);
        }
        const { stdout, status } = bash(
            `set -euo pipefail\n${functions}\nstatic_pod_environment ${path} <<'MANIFEST'\n${renderStaticPod(process)}MANIFEST`,
        );
        rmSync(path, { force: true });
        expect(status).toBe(0);
        const [{ env }] = (parse(stdout) as { spec: { containers: [{ env: object }] } }).spec.containers;
        expect(env).toEqual([
            { name: "ETCD_INITIAL_CLUSTER", value: file === undefined ? "" : "a=https://x:1,b=https://y:1" },
            { name: "ETCD_INITIAL_CLUSTER_STATE", value: file === undefined ? "" : "existing" },
        ]);
    });

    const revision = (manifest: string): string => /kubelab\/revision: (\S+)/.exec(manifest)?.[1] ?? "";

    test("the manifest gets the user's numbers and a revision that changes with a file that the process reads", () => {
        const first = putManifest();
        expect(first).toMatch(/runAsUser: \d+\n/);
        // The kubelet never sees a part of it.
        expect(readFileSync(join(directory.path, "moved"), "utf8")).toMatch(
            /^-fT \S+\/manifests\/\.kubelab\.\S+ \S+\/manifests\/kube-scheduler\.yaml\n$/,
        );
        expect(revision(first)).toMatch(/^r[0-9a-f]{16}$/);
        expect(putManifest()).toBe(first);
        bash(`echo changed >${directory.path}/config/scheduler.yaml`);
        const second = putManifest();
        expect(revision(second)).not.toBe(revision(first));
        expect(second.replace(revision(second), revision(first))).toBe(first);
    });
});
