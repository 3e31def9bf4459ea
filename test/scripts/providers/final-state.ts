import { execFileSync } from "node:child_process";
import { join } from "node:path";
import type { EngineKind } from "../../../scripts/cli/engine";
import { SecretBox, stackPassphrase } from "../../../scripts/offline-engine/secrets";
import { readStateFile } from "../../../scripts/offline-engine/state";
import { plainProperties, type Properties } from "../../../scripts/offline-engine/value";

/** A resource in a stack's state, as far as both engines keep the same of it. */
interface Kept {
    readonly urn: string;
    readonly custom: boolean;
    readonly parent: string;
    readonly deletedWith: string;
    readonly dependencies: readonly string[];
    readonly inputs: unknown;
    readonly outputs: unknown;
}

/** What is in the state of the stack `test` of a project's directory, secrets open, by URN; random values left out. */
export function finalState(repository: string, kind: EngineKind): Kept[] {
    const resources = kind === "offline" ? offlineState(repository) : pulumiState(repository);
    const text = JSON.stringify(inOrder(resources))
        .replaceAll(repository, "<directory>")
        // A command's id: its name and eight random hex digits.
        .replace(/"([a-z]+)[0-9a-f]{8}"/g, '"<id of $1>"');
    return JSON.parse(text) as Kept[];
}

function inOrder(resources: readonly Kept[]): Kept[] {
    return resources
        .filter(({ urn }) => !urn.includes("pulumi:providers:"))
        .map(({ urn, custom, parent, deletedWith, dependencies, inputs, outputs }) => ({
            urn,
            custom,
            parent,
            deletedWith,
            dependencies: [...dependencies].sort(),
            inputs: settled(inputs),
            outputs: settled(outputs),
        }))
        .sort((one, other) => (one.urn < other.urn ? -1 : 1));
}

function offlineState(repository: string): Kept[] {
    const directory = join(repository, ".kubelab/test");
    const content = readStateFile(join(directory, "state.json"));
    if (!content) {
        return [];
    }
    const box = new SecretBox(stackPassphrase(join(directory, "passphrase")), content.key);
    const open = (properties: Properties): unknown => plainProperties(box.openProperties(properties));
    return content.resources.map((state) => ({
        ...state,
        inputs: open(state.inputs),
        outputs: open(state.outputs),
    }));
}

function pulumiState(repository: string): Kept[] {
    const text = execFileSync("pulumi", ["stack", "export", "--stack", "test", "--show-secrets"], {
        cwd: repository,
        encoding: "utf8",
        env: {
            ...process.env,
            PULUMI_BACKEND_URL: `file://${join(repository, ".kubelab/pulumi")}`,
            PULUMI_CONFIG_PASSPHRASE_FILE: join(repository, ".kubelab/test/passphrase"),
        },
    });
    const { deployment } = JSON.parse(text) as {
        readonly deployment: { readonly resources?: readonly Partial<Kept>[] };
    };
    return (deployment.resources ?? []).map((resource) => ({
        urn: resource.urn ?? "",
        custom: resource.custom ?? false,
        parent: resource.parent ?? "",
        deletedWith: resource.deletedWith ?? "",
        dependencies: resource.dependencies ?? [],
        inputs: resource.inputs ?? {},
        outputs: resource.outputs ?? {},
    }));
}

const SECRET_MARK = "4dabf18193072939515e22adb298388d";

/** Secrets opened, and what is random, or the engine's own word to its provider, taken out. */
function settled(value: unknown): unknown {
    if (Array.isArray(value)) {
        return value.map(settled);
    }
    if (value === null || typeof value !== "object") {
        return value;
    }
    if (SECRET_MARK in value && "plaintext" in value) {
        return settled(JSON.parse(String(value.plaintext)));
    }
    const random = /^(__|base64$|hex$|id$)/;
    return Object.fromEntries(
        Object.entries(value)
            .filter(([key]) => !random.test(key))
            .sort(([one], [other]) => (one < other ? -1 : 1))
            .map(([key, each]) => [key, settled(each)]),
    );
}
