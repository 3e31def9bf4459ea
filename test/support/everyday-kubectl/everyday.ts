import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Kubectl } from "../kubectl";

/** One thing that people do with kubectl every day, with what must come of it. */
export interface Everyday {
    readonly does: string;
    readonly check: (kubectl: Kubectl, directory: string) => void | Promise<void>;
}

const LABELS = { app: "web" };
/** Every lab has it. */
export const IMAGE = "docker.io/library/nginx:latest";

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

/** Writes the manifest of a web server. @returns its file. */
export function write(kubectl: Kubectl, directory: string, replicas: number, greeting: string): string {
    const file = join(directory, "web.json");
    writeFileSync(file, manifest(kubectl.namespace, replicas, greeting));
    return file;
}

/** The newest pod of the web server, as `pod/web-…`. */
export const podOf = (kubectl: Kubectl): string =>
    kubectl
        .run("get", "pods", "-l", "app=web", "--sort-by=.metadata.creationTimestamp", "-o", "name")
        .split("\n")
        .at(-1) ?? "";
/** A field of its deployment, by its JSONPath. */
export const field = (kubectl: Kubectl, path: string): string =>
    kubectl.run("get", "deployment", "web", "-o", `jsonpath={${path}}`);
