import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "../lab";
import { type Everyday, field, write } from "./everyday";

/** Changing objects, and asking about them. */
export const OBJECTS: readonly Everyday[] = [
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
            const serverSide = ["apply", "--server-side", "-f", file];
            expect(kubectl.run(...serverSide)).toContain("deployment.apps/web serverside-applied");
            expect(kubectl.try("diff", "--server-side", "-f", file).code).toBe(0);
            write(kubectl, directory, 2, "hello");
            const conflict = kubectl.try(...serverSide, "--field-manager=another");
            expect([conflict.code, conflict.stderr]).toEqual([1, expect.stringContaining("conflict")]);
            kubectl.run(...serverSide, "--field-manager=another", "--force-conflicts");
            expect(field(kubectl, ".spec.replicas")).toBe("2");
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
];
