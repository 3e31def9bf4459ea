import { execFileSync } from "node:child_process";
import { join } from "node:path";

/** A resource in a stack's state, as far as it is the same whatever provider made it. */
export interface Kept {
    readonly urn: string;
    readonly custom: boolean;
    readonly parent: string;
    readonly deletedWith: string;
    readonly dependencies: readonly string[];
    readonly inputs: unknown;
    readonly outputs: unknown;
}

interface Exported extends Partial<Omit<Kept, "inputs" | "outputs">> {
    readonly urn: string;
    readonly inputs?: Readonly<Record<string, unknown>>;
    readonly outputs?: Readonly<Record<string, unknown>>;
}

/** What is in the state of the stack `test` of a project's directory, by URN, secrets open and marked; random values left out. */
export function finalState(cli: string, repository: string): Kept[] {
    const text = execFileSync(cli, ["stack", "export", "--stack", "test", "--show-secrets"], {
        cwd: repository,
        encoding: "utf8",
        env: {
            ...process.env,
            PULUMI_BACKEND_URL: `file://${join(repository, ".kubelab/pulumi")}`,
            PULUMI_CONFIG_PASSPHRASE_FILE: join(repository, ".kubelab/test/passphrase"),
        },
    });
    const { deployment } = JSON.parse(text) as { readonly deployment: { readonly resources?: readonly Exported[] } };
    const kept = (deployment.resources ?? [])
        .filter(({ urn }) => !urn.includes("pulumi:providers:"))
        .map(
            ({ urn, custom = false, parent = "", deletedWith = "", dependencies = [], inputs = {}, outputs = {} }) => ({
                urn,
                custom,
                parent,
                deletedWith,
                dependencies: [...dependencies].sort(),
                inputs: settled(inputs),
                outputs: settled(/::(tls|random):/.test(urn) ? withoutChance(outputs, inputs) : outputs),
            }),
        )
        .sort((one, other) => (one.urn < other.urn ? -1 : 1));
    const settledText = JSON.stringify(kept)
        .replaceAll(repository, "<directory>")
        // A command's id: its name and eight random hex digits.
        .replace(/"([a-z]+)[0-9a-f]{8}"/g, '"<id of $1>"');
    return JSON.parse(settledText) as Kept[];
}

const MARK = "4dabf18193072939515e22adb298388d";

function isSecret(value: unknown): value is { readonly plaintext: string } {
    return typeof value === "object" && value !== null && MARK in value && "plaintext" in value;
}

/** Keys, certificates, and what else differs between any two of a kind: only that it is there counts. */
function withoutChance(
    outputs: Readonly<Record<string, unknown>>,
    inputs: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
    const open = (value: unknown): unknown => (isSecret(value) ? JSON.parse(value.plaintext) : value);
    const shape = (value: unknown): unknown => (typeof value === "string" && value !== "" ? "<text>" : value);
    return Object.fromEntries(
        Object.entries(outputs).map(([key, value]) => {
            const kept = key in inputs ? value : isSecret(value) ? { secret: shape(open(value)) } : shape(value);
            return [key, kept];
        }),
    );
}

/** Secrets opened but marked, PEM blocks by their kind, and the engine's and the bridge's own words to a provider taken out. */
function settled(value: unknown): unknown {
    if (typeof value === "string") {
        return value.replace(/-----BEGIN ([A-Z ]+)-----[^-]*-----END [A-Z ]+-----\n?/g, "<$1>");
    }
    if (Array.isArray(value)) {
        return value.map(settled);
    }
    if (value === null || typeof value !== "object") {
        return value;
    }
    if (isSecret(value)) {
        return { secret: settled(JSON.parse(value.plaintext)) };
    }
    return Object.fromEntries(
        Object.entries(value)
            .filter(([key]) => !key.startsWith("__"))
            .sort(([one], [other]) => (one < other ? -1 : 1))
            .map(([key, each]) => [key, settled(each)]),
    );
}
