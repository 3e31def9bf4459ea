import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "../lab";
import { type Everyday, field, podOf, write } from "./everyday";

/** Applying a web server, and looking at it and into it. */
export const LOOKING: readonly Everyday[] = [
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
];
