import { existsSync, mkdirSync, readFileSync, realpathSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { parse, stringify } from "yaml";
import { UserError } from "../../support/errors";
import { givenPath } from "../../support/working-directory";

interface Entry {
    readonly name: string;
    readonly [key: string]: unknown;
}

/** https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/ */
export interface Kubeconfig {
    readonly clusters?: readonly Entry[] | null;
    readonly users?: readonly Entry[] | null;
    readonly contexts?: readonly Entry[] | null;
    readonly "current-context"?: string;
    readonly [key: string]: unknown;
}

const LISTS = ["clusters", "users", "contexts"] as const;
/** Marks a context as made from here, with the directory of its stack: only such a one is replaced. */
const MARK = "kubelab";

/** The file that `kubectl` reads first: of KUBECONFIG, else ~/.kube/config. */
export function ownKubeconfig(environment: NodeJS.ProcessEnv = process.env): string {
    const [first] = (environment["KUBECONFIG"] ?? "").split(delimiter).filter((path) => path !== "");
    return first === undefined ? join(homedir(), ".kube/config") : givenPath(first);
}

/**
 * `into` with the one context of `from`, and its cluster and its user. What is used by default stays.
 *
 * @param owner directory of the stack. @throws UserError where somebody else's context has its name.
 */
export function merged(into: Kubeconfig, from: Kubeconfig, owner: string): Kubeconfig {
    const [context] = from.contexts ?? [];
    const [user] = from.users ?? [];
    const [cluster] = from.clusters ?? [];
    if (context === undefined || user === undefined || cluster === undefined) {
        throw new UserError("The kubeconfig has no context: run 'scripts/lab up', which writes it anew.");
    }
    const { name } = context;
    const other = (into.contexts ?? []).find((each) => each.name === name);
    if (other !== undefined && ownerOf(other) !== owner) {
        const whose = ownerOf(other) ?? "somebody else";
        throw new UserError(
            `It has a context "${name}" of ${whose} already: rename that with 'kubectl config rename-context ${name} OTHER'.`,
        );
    }
    // Other labs have a user of that name too.
    const names = { clusters: cluster.name, users: name, contexts: name };
    const settings = {
        ...(context["context"] as object),
        user: name,
        extensions: [{ name: MARK, extension: { owner } }],
    };
    const entries = { clusters: cluster, users: { ...user, name }, contexts: { name, context: settings } };
    const lists = LISTS.map((list) => {
        const others = (into[list] ?? []).filter((each) => each.name !== names[list]);
        return [list, [...others, entries[list]]] as const;
    });
    return {
        apiVersion: "v1",
        kind: "Config",
        ...into,
        ...Object.fromEntries(lists),
        "current-context": into["current-context"] || name,
    };
}

function ownerOf(context: Entry): string | undefined {
    const { extensions = [] } = (context["context"] ?? {}) as { readonly extensions?: readonly Entry[] };
    const mark = extensions.find(({ name }) => name === MARK)?.["extension"] as { readonly owner?: string } | undefined;
    return mark?.owner;
}

/** Merges the text of a kubeconfig into a file. @returns the name of the context. @throws UserError, and leaves the file as it is. */
export function mergeInto(file: string, text: string, owner: string): string {
    const from = parse(text) as Kubeconfig;
    const result = merged(readKubeconfig(file), from, owner);
    const target = existsSync(file) ? realpathSync(file) : file;
    mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
    const beside = `${target}.kubelab.${process.pid}`;
    writeFileSync(beside, stringify(result, { lineWidth: 0 }), { mode: 0o600 });
    renameSync(beside, target);
    return from.contexts?.[0]?.name ?? "";
}

function readKubeconfig(file: string): Kubeconfig {
    if (!existsSync(file)) {
        return {};
    }
    try {
        const value: unknown = parse(readFileSync(file, "utf8")) ?? {};
        if (typeof value === "object" && !Array.isArray(value)) {
            return value as Kubeconfig;
        }
    } catch {
        // As below.
    }
    throw new UserError(`${file} is no kubeconfig; it stays as it is.`);
}
