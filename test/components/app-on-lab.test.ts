import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { readRecipe, selectParts } from "../../scripts/parts/recipe";
import { type Properties, run, type Run } from "../support/mocks";
import { unwrap, withoutSecrets } from "../support/secrets";

jest.setTimeout(60_000);

const EXAMPLE = join(__dirname, "../../examples/app-on-lab");
const MANIFESTS = join(EXAMPLE, "manifests");

interface Manifest {
    readonly kind: string;
    readonly metadata: { readonly name: string; readonly namespace?: string };
}

const files = readdirSync(MANIFESTS);
const manifests = files.flatMap((file) =>
    parseAllDocuments(readFileSync(join(MANIFESTS, file), "utf8")).map((document) => document.toJS() as Manifest),
);

/** Every value of a key, anywhere. */
function valuesOf(key: string, value: unknown): string[] {
    if (typeof value !== "object" || value === null) {
        return [];
    }
    return Object.entries(value).flatMap(([name, each]) =>
        name === key && typeof each === "string" ? [each] : valuesOf(key, each),
    );
}

describe("the manifests of an application", () => {
    test("run only images that a lab can have without the internet", () => {
        const served = selectParts(readRecipe(), ["app"]).images.map(({ name }) => name);
        const asked = [...new Set(valuesOf("image", manifests))];
        expect(asked).toHaveLength(4);
        expect(asked.filter((image) => !served.includes(image))).toEqual([]);
    });

    test("have no password, and name the Secrets that others make", () => {
        expect(manifests.filter(({ kind }) => kind === "Secret")).toEqual([]);
        const named = manifests.flatMap(
            (manifest) => JSON.stringify(manifest).match(/"secretKeyRef":\{"name":"\w+"/g) ?? [],
        );
        expect(new Set(named.map((text) => text.split('"').at(-2)))).toEqual(new Set(["database", "administrator"]));
    });

    test("have every kind that a chart of such an application renders", () => {
        expect(new Set(manifests.map(({ kind }) => kind))).toEqual(
            new Set([
                ...["Namespace", "StorageClass", "PersistentVolume", "PersistentVolumeClaim", "ConfigMap", "Service"],
                ...["ServiceAccount", "Role", "RoleBinding", "NetworkPolicy", "PodDisruptionBudget"],
                ...["Deployment", "StatefulSet", "Job", "CronJob"],
            ]),
        );
    });
});

describe("a program that deploys it into a lab", () => {
    const kubeconfig = "the lab's kubeconfig";
    let graph: Run;
    beforeAll(async () => {
        const nodes = [
            { name: "cp-1", address: "10.240.0.11" },
            { name: "worker-1", address: "10.240.0.21" },
        ];
        graph = await run(
            async () => {
                let exported: Properties = {};
                await jest.isolateModulesAsync(async () => {
                    exported = { ...((await import(EXAMPLE)) as Properties) };
                });
                return exported;
            },
            { config: { lab: "organization/kubelab/kubenet" }, lastOutputs: { kubeconfig, nodes } },
        );
    });
    const ofType = (type: string): Run["resources"] => graph.resources.filter((each) => each.type === type);

    test("reaches the cluster by the kubeconfig that the lab's stack puts out", () => {
        const [provider] = ofType("pulumi:providers:kubernetes");
        expect(unwrap(provider?.inputs)).toMatchObject({ kubeconfig });
        const others = graph.resources.filter(({ type }) => type.startsWith("kubernetes:"));
        expect(others.length).toBeGreaterThan(3);
        expect(
            others.filter((each) => each.provider !== "" && !each.provider.includes(provider?.urn ?? "none")),
        ).toEqual([]);
    });

    test("applies every manifest, the namespaces before the others", () => {
        const [namespaces] = ofType("kubernetes:yaml/v2:ConfigFile");
        const [group] = ofType("kubernetes:yaml/v2:ConfigGroup");
        const applied = [
            (unwrap(namespaces?.inputs) as { file: string }).file,
            ...Object.values((unwrap(group?.inputs) as { files: object }).files as Record<string, string>),
        ];
        expect(applied.sort()).toEqual(files.map((file) => join(MANIFESTS, file)).sort());
        expect(group?.dependencies).toContain(namespaces?.urn);
    });

    test("makes the two Secrets, which its state and outputs keep encrypted", () => {
        const secrets = ofType("kubernetes:core/v1:Secret");
        expect(secrets.map(({ name }) => name).sort()).toEqual(["administrator", "database"]);
        expect(withoutSecrets(graph.outputs)).toMatchObject({
            urls: ["http://10.240.0.11:30080", "http://10.240.0.21:30080"],
            administrator: { username: "admin", password: "[secret]" },
        });
    });
});
