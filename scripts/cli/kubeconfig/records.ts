import { UserError } from "../../support/errors";
import type { ClusterAccess } from "../cluster-access";
import type { UserRequest } from "./options";
import { renderTable } from "../table";

const LABEL = "kubelab/user-id";
const NAMESPACE = "kube-system";

/** One kubeconfig that was made for a person. */
export interface UserRecord extends Omit<UserRequest, "seconds"> {
    /** 8 hexadecimal digits. */
    readonly id: string;
    /** ISO 8601, UTC. */
    readonly expires: string;
    readonly revoked?: boolean;
}

/**
 * The group that only this one kubeconfig's certificate has. Its rights are bound to it, so that they can be taken back though a
 * certificate can't; a later kubeconfig of the same user doesn't bring them back.
 */
export function ownGroup({ user, id }: Pick<UserRecord, "user" | "id">): string {
    return `kubelab:user:${user}:${id}`;
}

/** The objects of a record: what `--list` reads, and the binding of its role. */
export function objectsOf(record: UserRecord): object[] {
    const { id, namespace, role } = record;
    const metadata = { name: `kubelab-user-${id}`, labels: { [LABEL]: id } };
    const list = {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { ...metadata, namespace: NAMESPACE },
        data: { record: JSON.stringify(record) },
    };
    const rbac = "rbac.authorization.k8s.io";
    const binding = (kind: string): object => ({
        apiVersion: `${rbac}/v1`,
        kind: namespace === undefined ? "ClusterRoleBinding" : "RoleBinding",
        metadata: { ...metadata, ...(namespace === undefined ? {} : { namespace }) },
        roleRef: { apiGroup: rbac, kind, name: role },
        subjects: [{ apiGroup: rbac, kind: "Group", name: ownGroup(record) }],
    });
    return [list, ...(role === undefined ? [] : [binding("ClusterRole")])];
}

/** All that were made, the newest last. */
export async function readRecords(cluster: ClusterAccess): Promise<UserRecord[]> {
    const text = await cluster.kubectl(["-n", NAMESPACE, "get", "configmaps", "-l", LABEL, "-o", "json"]);
    const { items } = JSON.parse(text) as {
        readonly items: readonly { readonly data?: { readonly record?: string } }[];
    };
    return items
        .map(({ data }) => JSON.parse(data?.record ?? "{}") as UserRecord)
        .sort((a, b) => (a.expires < b.expires ? -1 : 1));
}

export function isExpired({ expires }: UserRecord, now = new Date()): boolean {
    return new Date(expires) <= now;
}

/** Forgets those that have expired. */
export async function forgetExpired(cluster: ClusterAccess): Promise<void> {
    const ids = (await readRecords(cluster)).filter((record) => isExpired(record)).map(({ id }) => id);
    if (ids.length > 0) {
        await deleteBindings(cluster, ids);
        await cluster.kubectl(["-n", NAMESPACE, "delete", "configmaps", "-l", `${LABEL} in (${ids.join(",")})`]);
    }
}

/**
 * Takes the rights of a user's kubeconfigs back, or of the one with that id.
 *
 * @returns those that were revoked. @throws UserError where there is none.
 */
export async function revoke(cluster: ClusterAccess, nameOrId: string): Promise<UserRecord[]> {
    const valid = (await readRecords(cluster)).filter((record) => !isExpired(record) && record.revoked !== true);
    const found = valid.filter(({ user, id }) => user === nameOrId || id === nameOrId);
    if (found.length === 0) {
        const names = [...new Set(valid.map(({ user }) => user))].join(", ");
        throw new UserError(
            `There is no valid kubeconfig of "${nameOrId}". ${names === "" ? "Nobody has one" : `Those of ${names} are valid`}.`,
        );
    }
    await deleteBindings(
        cluster,
        found.map(({ id }) => id),
    );
    for (const record of found) {
        const data = { record: JSON.stringify({ ...record, revoked: true }) };
        const patch = JSON.stringify({ data });
        await cluster.kubectl(["-n", NAMESPACE, "patch", "configmap", `kubelab-user-${record.id}`, "-p", patch]);
    }
    return found;
}

async function deleteBindings(cluster: ClusterAccess, ids: readonly string[]): Promise<void> {
    const selector = `${LABEL} in (${ids.join(",")})`;
    await cluster.kubectl(["delete", "clusterrolebindings", "-l", selector]);
    await cluster.kubectl(["delete", "rolebindings", "-A", "-l", selector]);
}

/** A line for each kubeconfig. */
export function renderRecords(records: readonly UserRecord[], now = new Date()): string {
    const rows = records.map((record) => [
        record.user,
        record.id,
        record.groups.join(",") || "-",
        rightsOf(record),
        `${record.expires.slice(0, 16).replace("T", " ")} UTC`,
        isExpired(record, now) ? "expired" : record.revoked === true ? "revoked" : "valid",
    ]);
    const header = ["USER", "ID", "GROUPS", "RIGHTS", "EXPIRES", "STATE"];
    return renderTable(header, rows);
}

export function rightsOf({ role, namespace }: Pick<UserRecord, "role" | "namespace">): string {
    return role === undefined
        ? "those of the groups"
        : `${role} ${namespace === undefined ? "everywhere" : `in ${namespace}`}`;
}
