import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "./lab";
import type { Kubectl } from "./kubectl";

/** One thing that people do with kubectl every day, with what must come of it. */
export interface Everyday {
    readonly does: string;
    readonly check: (kubectl: Kubectl, directory: string) => void | Promise<void>;
}

const LABELS = { app: "web" };
const IMAGE = "docker.io/library/nginx:latest";

/** A web server, as its manifest is applied. */
function manifest(namespace: string, replicas: number, greeting: string): string {
    const metadata = { name: "web", namespace };
    const container = {
        name: "nginx",
        image: IMAGE,
        imagePullPolicy: "IfNotPresent",
        env: [{ name: "GREETING", value: greeting }],
        readinessProbe: { httpGet: { path: "/", port: 80 }, periodSeconds: 1 },
    };
    const items = [
        { apiVersion: "v1", kind: "ConfigMap", metadata, data: { greeting } },
        { apiVersion: "v1", kind: "Service", metadata, spec: { selector: LABELS, ports: [{ port: 80 }] } },
        {
            apiVersion: "apps/v1",
            kind: "Deployment",
            metadata,
            spec: {
                replicas,
                selector: { matchLabels: LABELS },
                template: { metadata: { labels: LABELS }, spec: { containers: [container] } },
            },
        },
    ];
    return JSON.stringify({ apiVersion: "v1", kind: "List", items });
}

function write(kubectl: Kubectl, directory: string, replicas: number, greeting: string): string {
    const file = join(directory, "web.json");
    writeFileSync(file, manifest(kubectl.namespace, replicas, greeting));
    return file;
}

const podOf = (kubectl: Kubectl): string =>
    kubectl.run("get", "pods", "-l", "app=web", "--field-selector=status.phase=Running", "-o", "name").split("\n")[0] ??
    "";
const field = (kubectl: Kubectl, path: string): string =>
    kubectl.run("get", "deployment", "web", "-o", `jsonpath={${path}}`);

/** In this order: later ones need what earlier ones have made. */
export const EVERYDAY: readonly Everyday[] = [
    {
        does: "create namespace; apply, and apply again",
        check: (kubectl, directory) => {
            kubectl.run("create", "namespace", kubectl.namespace);
            const file = write(kubectl, directory, 2, "hello");
            expect(kubectl.run("apply", "-f", file)).toContain("deployment.apps/web created");
            expect(kubectl.run("apply", "-f", file)).toContain("deployment.apps/web unchanged");
        },
    },
    {
        does: "rollout status, wait",
        check: (kubectl) => {
            expect(kubectl.run("rollout", "status", "deployment/web", "--timeout=120s")).toContain(
                "successfully rolled out",
            );
            const waited = kubectl.run("wait", "--for=condition=Available", "deployment/web", "--timeout=60s");
            expect(waited).toBe("deployment.apps/web condition met");
        },
    },
    {
        does: "get: a table, wide, json, yaml, jsonpath, custom columns, sorted, all namespaces",
        check: (kubectl) => {
            expect(kubectl.run("get", "deployment", "web")).toMatch(/^NAME +READY .*\nweb +2\/2 +2 +2 /);
            expect(kubectl.run("get", "pods", "-o", "wide")).toMatch(/ +10\.99\.\d+\.\d+ +worker-\d /);
            const list = JSON.parse(kubectl.run("get", "pods", "-o", "json")) as { readonly items: unknown[] };
            expect(list.items).toHaveLength(2);
            expect(kubectl.run("get", "service", "web", "-o", "yaml")).toMatch(/^ {2}clusterIP: 10\.32\.0\.\d+$/m);
            expect(field(kubectl, ".status.readyReplicas")).toBe("2");
            const columns = kubectl.run("get", "cm", "web", "-o", "custom-columns=N:.metadata.name,G:.data.greeting");
            expect(columns).toMatch(/^N +G\nweb +hello$/);
            const nodes = kubectl.run("get", "nodes", "--sort-by=.metadata.name", "--no-headers", "-o", "name");
            expect(nodes).toBe("node/cp-1\nnode/worker-1\nnode/worker-2");
            expect(kubectl.run("get", "pods", "--all-namespaces", "--no-headers")).toMatch(/^kube-system +coredns-/m);
        },
    },
    {
        does: "describe",
        check: (kubectl) => {
            expect(kubectl.run("describe", "deployment", "web")).toMatch(/Replicas: +2 desired .* 2 available/);
            const pod = kubectl.run("describe", podOf(kubectl));
            expect(pod).toMatch(/^Status: +Running$/m);
            expect(pod).toContain("Successfully assigned");
            expect(kubectl.run("describe", "node", "worker-1")).toContain("Allocated resources:");
        },
    },
    {
        does: "exec",
        check: (kubectl) => {
            expect(kubectl.run("exec", "deployment/web", "--", "sh", "-c", "echo $GREETING")).toBe("hello");
            const failed = kubectl.try("exec", "deployment/web", "--", "sh", "-c", "exit 7");
            expect(failed.code).toBe(7);
        },
    },
    {
        does: "cp, there and back",
        check: (kubectl, directory) => {
            const [there, back] = [join(directory, "there"), join(directory, "back")];
            writeFileSync(there, "carried\n");
            const pod = podOf(kubectl).replace("pod/", "");
            kubectl.run("cp", there, `${kubectl.namespace}/${pod}:/tmp/file`);
            kubectl.run("cp", `${kubectl.namespace}/${pod}:/tmp/file`, back);
            expect(readFileSync(back, "utf8")).toBe("carried\n");
        },
    },
    {
        does: "port-forward",
        check: async (kubectl) => {
            const forward = kubectl.start("port-forward", "service/web", ":80");
            await eventually(30, () => {
                expect(forward.printed).toMatch(/127\.0\.0\.1:\d+ -> 80/);
            });
            const port = /127\.0\.0\.1:(\d+)/.exec(forward.printed)?.[1];
            const answer = await fetch(`http://127.0.0.1:${port}/forwarded`);
            expect([answer.status, await answer.text()]).toEqual([404, expect.stringContaining("nginx")]);
            forward.interrupt();
            await forward.ended;
        },
    },
    {
        does: "logs, and logs -f as they come",
        check: async (kubectl) => {
            const pod = podOf(kubectl);
            const visit = (path: string): string =>
                kubectl.run("exec", pod, "--", "sh", "-c", `wget -q -O- http://127.0.0.1/${path} || true`);
            visit("before");
            await eventually(20, () => {
                expect(kubectl.run("logs", pod)).toContain("GET /before");
            });
            const following = kubectl.start("logs", "-f", "--tail=1", pod);
            visit("while-following");
            await eventually(20, () => {
                expect(following.printed).toContain("GET /while-following");
            });
            expect(following.isOver).toBe(false);
            following.interrupt();
            await following.ended;
        },
    },
    {
        does: "label, annotate and select",
        check: (kubectl) => {
            expect(kubectl.run("label", "configmap", "web", "tier=front")).toContain("labeled");
            expect(kubectl.try("label", "configmap", "web", "tier=back").stderr).toContain("--overwrite is false");
            expect(kubectl.run("annotate", "configmap", "web", "note=seen")).toContain("annotated");
            expect(kubectl.run("get", "configmap", "-l", "tier=front", "-o", "name")).toBe("configmap/web");
        },
    },
    {
        does: "patch: strategic, merge and JSON",
        check: (kubectl) => {
            const strategic = { spec: { template: { metadata: { annotations: { by: "strategic" } } } } };
            kubectl.run("patch", "deployment", "web", "--patch", JSON.stringify(strategic));
            const merge = { data: { greeting: null, other: "merged" } };
            kubectl.run("patch", "configmap", "web", "--type=merge", "--patch", JSON.stringify(merge));
            const json = [{ op: "add", path: "/data/more", value: "json" }];
            kubectl.run("patch", "configmap", "web", "--type=json", "--patch", JSON.stringify(json));
            expect(field(kubectl, ".spec.template.metadata.annotations.by")).toBe("strategic");
            expect(field(kubectl, ".spec.template.spec.containers[0].name")).toBe("nginx");
            const data = kubectl.run("get", "configmap", "web", "-o", "jsonpath={.data}");
            expect(JSON.parse(data)).toEqual({ other: "merged", more: "json" });
        },
    },
    {
        does: "diff, and apply --server-side with a conflict",
        check: (kubectl, directory) => {
            const file = write(kubectl, directory, 3, "hello");
            const { code, stdout } = kubectl.try("diff", "-f", file);
            expect(code).toBe(1);
            expect(stdout).toMatch(/^-\s+replicas: 2\n\+\s+replicas: 3$/m);
            const conflict = kubectl.try("apply", "--server-side", "-f", file);
            expect([conflict.code, conflict.stderr]).toEqual([1, expect.stringContaining("conflict")]);
            const forced = kubectl.run("apply", "--server-side", "--force-conflicts", "-f", file);
            expect(forced).toContain("deployment.apps/web serverside-applied");
            expect(kubectl.try("diff", "--server-side", "--force-conflicts", "-f", file).code).toBe(0);
        },
    },
    {
        does: "scale",
        check: (kubectl) => {
            kubectl.run("scale", "deployment/web", "--replicas=1");
            kubectl.run("wait", "--for=jsonpath={.status.replicas}=1", "deployment/web", "--timeout=60s");
            expect(field(kubectl, ".spec.replicas")).toBe("1");
        },
    },
    {
        does: "set image, rollout history, undo and restart",
        check: (kubectl) => {
            kubectl.run("rollout", "status", "deployment/web", "--timeout=120s");
            kubectl.run("set", "image", "deployment/web", "nginx=registry.k8s.io/pause:nowhere");
            const stuck = kubectl.try("rollout", "status", "deployment/web", "--timeout=3s");
            expect(stuck.code).not.toBe(0);
            expect(kubectl.run("rollout", "history", "deployment/web")).toMatch(/^REVISION /m);
            expect(kubectl.run("rollout", "undo", "deployment/web")).toContain("rolled back");
            expect(field(kubectl, ".spec.template.spec.containers[0].image")).toBe(IMAGE);
            expect(kubectl.run("rollout", "restart", "deployment/web")).toContain("restarted");
            kubectl.run("rollout", "status", "deployment/web", "--timeout=120s");
        },
    },
    {
        does: "run, attach to the end, create and expose",
        check: (kubectl) => {
            const once = ["--image", IMAGE, "--image-pull-policy=IfNotPresent", "--restart=Never", "--rm", "--attach"];
            const said = kubectl.run("run", "once", ...once, "--command", "--", "sh", "-c", "sleep 1; echo ran");
            expect(said).toMatch(/^ran$/m);
            kubectl.run("create", "job", "count", "--image", IMAGE, "--", "sh", "-c", "seq 3");
            kubectl.run("wait", "--for=condition=Complete", "job/count", "--timeout=60s");
            expect(kubectl.run("logs", "job/count")).toBe("1\n2\n3");
            kubectl.run("expose", "deployment", "web", "--name=exposed", "--port=80", "--type=NodePort");
            expect(kubectl.run("get", "service", "exposed", "-o", "jsonpath={.spec.ports[0].nodePort}")).toMatch(
                /^3\d{4}$/,
            );
        },
    },
    {
        does: "create secret, kustomize, replace --force",
        check: (kubectl, directory) => {
            kubectl.run("create", "secret", "generic", "key", "--from-literal=word=open");
            expect(kubectl.run("get", "secret", "key", "-o", "go-template={{.data.word | base64decode}}")).toBe("open");
            writeFileSync(join(directory, "kustomization.yaml"), "namePrefix: k-\nresources: [made.yaml]\n");
            const made = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "made" }, data: { a: "1" } };
            writeFileSync(join(directory, "made.yaml"), JSON.stringify(made));
            expect(kubectl.run("apply", "-k", directory)).toContain("configmap/k-made created");
            expect(kubectl.run("replace", "--force", "-f", join(directory, "made.yaml"))).toContain("made replaced");
        },
    },
    {
        does: "auth can-i, whoami",
        check: (kubectl) => {
            expect(kubectl.run("auth", "can-i", "create", "deployments")).toBe("yes");
            const account = `--as=system:serviceaccount:${kubectl.namespace}:default`;
            const denied = kubectl.try("auth", "can-i", "list", "secrets", account);
            expect([denied.code, denied.stdout.trim()]).toEqual([1, "no"]);
            expect(kubectl.run("auth", "whoami")).toMatch(/^Username +\S+/m);
        },
    },
    {
        does: "top says what is missing",
        check: (kubectl) => {
            const { code, stderr } = kubectl.try("top", "nodes");
            expect([code, stderr.trim()]).toEqual([1, "error: Metrics API not available"]);
        },
    },
    {
        does: "drain and uncordon",
        check: (kubectl) => {
            const drained = kubectl.run(
                "drain",
                "worker-2",
                "--ignore-daemonsets",
                "--delete-emptydir-data",
                "--force",
            );
            expect(drained).toContain("node/worker-2 drained");
            expect(kubectl.run("get", "node", "worker-2", "--no-headers")).toContain("SchedulingDisabled");
            expect(kubectl.run("get", "pods", "-o", "wide", "--no-headers", "-l", "app=web")).not.toContain("worker-2");
            expect(kubectl.run("uncordon", "worker-2")).toBe("node/worker-2 uncordoned");
            kubectl.run("rollout", "status", "deployment/web", "--timeout=120s");
        },
    },
    {
        does: "taint and untaint",
        check: (kubectl) => {
            expect(kubectl.run("taint", "node", "worker-2", "kept=for-us:NoSchedule")).toBe("node/worker-2 tainted");
            expect(kubectl.run("taint", "node", "worker-2", "kept-")).toBe("node/worker-2 untainted");
        },
    },
    {
        does: "debug a pod, and a copy of it",
        check: async (kubectl) => {
            const pod = podOf(kubectl);
            const container = ["--image", IMAGE, "--image-pull-policy=IfNotPresent", "--target=nginx", "-c", "look"];
            kubectl.run("debug", pod, ...container, "--profile=general", "--", "sh", "-c", "ls /proc/1/root/etc/nginx");
            await eventually(60, () => {
                expect(kubectl.run("logs", pod, "-c", "look")).toContain("nginx.conf");
            });
            const copy = ["--copy-to=copy", "--container=nginx", "--profile=general"];
            kubectl.run("debug", pod, ...copy, "--", "sh", "-c", "echo instead; sleep 60");
            await eventually(60, () => {
                expect(kubectl.run("logs", "copy", "-c", "nginx")).toBe("instead");
            });
        },
    },
    {
        does: "explain, api-resources, api-versions, get --raw",
        check: (kubectl) => {
            expect(kubectl.run("explain", "deployment.spec.strategy")).toMatch(/FIELD: strategy|rollingUpdate/);
            expect(kubectl.run("api-resources", "--api-group=apps", "-o", "name")).toContain("deployments.apps");
            expect(kubectl.run("api-versions").split("\n")).toEqual(expect.arrayContaining(["v1", "apps/v1"]));
            expect(kubectl.run("get", "--raw", "/readyz")).toBe("ok");
            expect(kubectl.run("cluster-info")).toContain("is running at");
        },
    },
    {
        does: "events and a watch",
        check: async (kubectl) => {
            await eventually(30, () => {
                expect(kubectl.run("events", "--for=deployment/web")).toContain("ScalingReplicaSet");
            });
            const watch = kubectl.start("get", "configmaps", "--watch", "-o", "name");
            kubectl.run("create", "configmap", "came-later");
            await eventually(20, () => {
                expect(watch.printed).toContain("configmap/came-later");
            });
            watch.interrupt();
            await watch.ended;
        },
    },
    {
        does: "delete, by file, by label and the namespace",
        check: (kubectl, directory) => {
            expect(kubectl.run("delete", "-f", join(directory, "web.json"))).toContain('deployment.apps "web" deleted');
            kubectl.run("wait", "--for=delete", "pod", "-l", "app=web,pod-template-hash", "--timeout=120s");
            kubectl.run("delete", "job", "count", "--cascade=foreground");
            kubectl.run("delete", "namespace", kubectl.namespace, "--timeout=120s");
            expect(kubectl.try("get", "namespace", kubectl.namespace).stderr).toContain("NotFound");
        },
    },
];
