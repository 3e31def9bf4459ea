import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { Lab, story } from "./lab";

/** The config of a preset, as `Pulumi.<preset>.yaml` has it. */
export function presetConfig(preset: string): Readonly<Record<string, unknown>> {
    const text = readFileSync(join(__dirname, `../../Pulumi.${preset}.yaml`), "utf8");
    const { config } = parse(text) as { readonly config: Readonly<Record<string, unknown>> };
    return Object.fromEntries(Object.entries(config).map(([key, value]) => [key.replace(/^kubelab:/, ""), value]));
}

/** A lab of the preset's config, but for the machines' network and its name. */
export function articleLab(preset: string, network: string, name = `article-${preset}`): Lab {
    const lab = new Lab(name, network);
    lab.configure({ ...presetConfig(preset), local: { network } });
    return lab;
}

/** The tests that play an article. */
export function article(title: string, tests: () => void): void {
    story(`the article "${title}"`, tests);
}

/** Gives the API server objects as JSON. */
export function create(lab: Lab, ...objects: readonly object[]): void {
    const list = { apiVersion: "v1", kind: "List", items: objects };
    lab.ssh(
        "cp-1",
        `kubectl --kubeconfig /etc/kubernetes/super-admin.conf create -f - <<'OBJECTS'\n${JSON.stringify(list)}\nOBJECTS`,
    );
}

/** A pod with one container on a node of one's choice: nobody schedules it. */
export function podOn(node: string | undefined, name: string, image: string, command?: readonly string[]): object {
    return {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name, labels: { app: name } },
        spec: {
            ...(node === undefined ? {} : { nodeName: node }),
            terminationGracePeriodSeconds: 0,
            containers: [
                { name, image, imagePullPolicy: "IfNotPresent", ...(command === undefined ? {} : { command }) },
            ],
        },
    };
}

/** Waits until a pod is Ready. @returns its address. */
export function readyPod(lab: Lab, name: string): string {
    lab.kubectl("wait", `pod/${name}`, "--for=condition=Ready", "--timeout=90s");
    return field(lab, `pod/${name}`, "{.status.podIP}");
}

/** A field of an object, by its JSONPath. */
export function field(lab: Lab, object: string, path: string): string {
    return lab.kubectl("get", object, "-o", `jsonpath=${path}`).trim();
}

const AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.63.0";

/** A pod that answers with its name on a port or some, and has curl beside; it goes on control planes too, as nobody schedules it. */
export function answeringPod(node: string, name = `on-${node}`, ports: readonly number[] = [8080]): object {
    return {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name },
        spec: {
            nodeName: node,
            terminationGracePeriodSeconds: 0,
            containers: [
                ...ports.map((port) => ({
                    name: `server-${port}`,
                    image: AGNHOST,
                    args: ["netexec", `--http-port=${port}`, `--udp-port=${port}`],
                })),
                {
                    name: "client",
                    image: "curlimages/curl",
                    imagePullPolicy: "IfNotPresent",
                    command: ["sleep", "3600"],
                },
            ],
        },
    };
}

/** Makes a pod on each node, in place of those that were there: a pod keeps the address that it was started with. */
export function newPods(lab: Lab, ...nodes: readonly string[]): string[] {
    lab.kubectl("delete", "pods", "--all", "--force", "--grace-period=0");
    create(lab, ...nodes.map((node) => answeringPod(node)));
    return nodes.map((node) => readyPod(lab, `on-${node}`));
}

/** The pod's name that a pod hears when it asks an address for it. A host's own network may answer instead, but not with that. */
export function ask(lab: Lab, from: string, address: string): string {
    const question = ["curl", "-s", "--max-time", "3", `http://${address}:8080/hostname`];
    const answer = lab.run("kubectl", ["exec", from, "-c", "client", "--", ...question]).stdout.trim();
    return /^(on-|neighbour|everywhere-)/.test(answer) ? answer : "no answer";
}
