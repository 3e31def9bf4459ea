import { join } from "node:path";
import { eventually } from "../lab";
import { type Everyday, field, IMAGE, podOf } from "./everyday";

/** Changing what runs, and where. */
export const CHANGING: readonly Everyday[] = [
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
            // A namespace without a level of its own has that of the cluster, which allows no more.
            kubectl.run("debug", pod, ...container, "--profile=baseline", "--", "cat", "/proc/1/cmdline");
            await eventually(60, () => {
                expect(kubectl.run("logs", pod, "-c", "look")).toContain("nginx: master process");
            });
            const general = kubectl.try(
                "debug",
                pod,
                ...container.slice(0, -1),
                "more",
                "--profile=general",
                "--",
                "true",
            );
            expect([general.code, general.stderr]).toEqual([
                1,
                expect.stringContaining('violates PodSecurity "baseline'),
            ]);
            const copy = ["--copy-to=copy", "--container=nginx", "--profile=baseline"];
            kubectl.run("debug", pod, ...copy, "--", "sh", "-c", "echo instead; sleep 60");
            await eventually(60, () => {
                expect(kubectl.run("logs", "copy", "-c", "nginx")).toBe("instead");
            });
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
