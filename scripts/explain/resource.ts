import { suggestNames } from "../inspect/near-names";
import type { Explained, Snapshot } from "../inspect/snapshot";
import { UserError } from "../support/errors";

export type Kind = Explained["kind"];

/** Names of the kinds as kubectl takes them, the first one as it prints them. */
const KINDS: Readonly<Record<Kind, readonly string[]>> = {
    Pod: ["pod", "pods", "po"],
    Service: ["service", "services", "svc"],
    Deployment: ["deployment", "deployments", "deploy", "deployment.apps", "deployments.apps"],
    ReplicaSet: ["replicaset", "replicasets", "rs", "replicaset.apps", "replicasets.apps"],
    DaemonSet: ["daemonset", "daemonsets", "ds", "daemonset.apps", "daemonsets.apps"],
    StatefulSet: ["statefulset", "statefulsets", "sts", "statefulset.apps", "statefulsets.apps"],
    Job: ["job", "jobs", "job.batch", "jobs.batch"],
    PersistentVolumeClaim: ["persistentvolumeclaim", "persistentvolumeclaims", "pvc"],
    Node: ["node", "nodes", "no"],
};

export interface Asked {
    readonly kind: Kind;
    readonly name: string;
    /** Absent for a node. */
    readonly namespace?: string;
}

/**
 * @param words `pod/web`, or `pod` and `web`.
 * @throws UserError where that isn't a kind and a name, or the kind isn't known.
 */
export function parseResource(words: readonly string[], namespace: string): Asked {
    const [kindName = "", name, ...more] = words.length === 1 ? (words[0] ?? "").split("/") : words;
    if (name === undefined || name === "" || more.length > 0) {
        throw new UserError(
            `"${words.join(" ")}" isn't KIND/NAME, as in pod/web, service/web, deployment/web or node/worker-1.`,
        );
    }
    const kind = (Object.keys(KINDS) as Kind[]).find((each) => KINDS[each].includes(kindName.toLowerCase()));
    if (kind === undefined) {
        const kinds = Object.values(KINDS).map(([first = ""]) => first);
        const near = suggestNames(kindName.toLowerCase(), Object.values(KINDS).flat());
        throw new UserError(`A ${kindName} can't be explained.${near} Kinds: ${kinds.join(", ")}.`);
    }
    return kind === "Node" ? { kind, name } : { kind, name, namespace };
}

/** `pod/web` */
export function resourceName({ kind, metadata }: Explained): string {
    return `${KINDS[kind][0]}/${metadata.name}`;
}

/** @throws UserError where there is none, with names like it and the namespaces that have one. */
export function findResource(asked: Asked, snapshot: Snapshot): Explained {
    const { kind, name, namespace } = asked;
    const all = [
        ...snapshot.pods,
        ...snapshot.services,
        ...snapshot.workloads,
        ...snapshot.claims,
        ...snapshot.nodes,
    ].filter((each) => each.kind === kind);
    const here = all.filter(({ metadata }) => metadata.namespace === namespace);
    const found = here.find(({ metadata }) => metadata.name === name);
    if (found !== undefined) {
        return found;
    }
    const [word = ""] = KINDS[kind];
    const where = namespace === undefined ? "" : ` in the namespace ${namespace}`;
    const elsewhere = all.filter(({ metadata }) => metadata.name === name).map(({ metadata }) => metadata.namespace);
    const others = elsewhere.length > 0 ? ` There is one in ${elsewhere.join(", ")}: -n ${elsewhere[0]}.` : "";
    const names = here.map(({ metadata }) => metadata.name);
    const hint =
        suggestNames(name, names) ||
        (names.length === 0
            ? ` There is no ${word} at all${where}.`
            : ` There ${names.length === 1 ? "is" : "are"} ${names.slice(0, 8).join(", ")}${names.length > 8 ? " …" : ""}.`);
    throw new UserError(`There is no ${word}/${name}${where}.${others}${others === "" ? hint : ""}`);
}
