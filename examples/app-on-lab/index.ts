import { readdirSync } from "node:fs";
import { join } from "node:path";
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";

const MANIFESTS = join(__dirname, "manifests");
const NAMESPACES = "0-namespaces.yaml";
const NAMESPACE = "miniflux";
/** As in manifests/proxy.yaml. */
const NODE_PORT = 30080;

const lab = new pulumi.StackReference(new pulumi.Config().require("lab"));
const provider = new kubernetes.Provider("lab", {
    kubeconfig: lab.requireOutput("kubeconfig") as pulumi.Output<string>,
});

const namespaces = new kubernetes.yaml.v2.ConfigFile("namespaces", { file: join(MANIFESTS, NAMESPACES) }, { provider });

/** Two values that no file has: the manifests name the Secrets, and this program makes them. */
const databasePassword = new random.RandomBytes("database-password", { length: 16 }).hex;
const administratorPassword = new random.RandomBytes("administrator-password", { length: 12 }).hex;

const secrets = [
    secret("database", { password: databasePassword }),
    secret("administrator", { username: "admin", password: administratorPassword }),
];

new kubernetes.yaml.v2.ConfigGroup(
    "application",
    {
        files: readdirSync(MANIFESTS)
            .filter((name) => name.endsWith(".yaml") && name !== NAMESPACES)
            .map((name) => join(MANIFESTS, name)),
    },
    { provider, dependsOn: [namespaces, ...secrets] },
);

function secret(name: string, stringData: Readonly<Record<string, pulumi.Input<string>>>): kubernetes.core.v1.Secret {
    return new kubernetes.core.v1.Secret(
        name,
        { metadata: { name, namespace: NAMESPACE }, stringData },
        { provider, dependsOn: [namespaces] },
    );
}

interface LabNode {
    readonly name: string;
    readonly address: string;
}

/** Where the application answers: any node does. */
export const urls = (lab.requireOutput("nodes") as pulumi.Output<readonly LabNode[]>).apply((nodes) =>
    nodes.map(({ address }) => `http://${address}:${NODE_PORT}`),
);
export const administrator = { username: "admin", password: administratorPassword };
