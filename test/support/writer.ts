import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import type { Lab } from "./lab";
import { SteadyRequests } from "./steady-requests";

interface Kubeconfig {
    readonly clusters: readonly { readonly cluster: Readonly<Record<string, string>> }[];
    readonly users: readonly { readonly user: Readonly<Record<string, string>> }[];
}

/** Writes to a lab's API all the time, by its kubeconfig: one ConfigMap every 200 milliseconds. */
export class Writer extends SteadyRequests {
    constructor(private readonly lab: Lab) {
        const { clusters, users } = parse(readFileSync(join(lab.directory, "kubeconfig"), "utf8")) as Kubeconfig;
        const cluster = clusters[0]?.cluster ?? {};
        const user = users[0]?.user ?? {};
        const file = (base64 = ""): Buffer => Buffer.from(base64, "base64");
        super("writer.sh", cluster["server"] ?? "", 201, {
            "ca.crt": file(cluster["certificate-authority-data"]),
            "client.crt": file(user["client-certificate-data"]),
            "client.key": file(user["client-key-data"]),
        });
    }

    /** Names of acknowledged writes that the API doesn't have. */
    lost(): string[] {
        // First: those of meanwhile are in the list or not.
        const acknowledged = this.succeeded();
        const there = new Set(this.lab.kubectl("get", "configmaps", "-o", "name").split("\n"));
        return acknowledged.map((number) => `configmap/write-${number}`).filter((name) => !there.has(name));
    }
}
