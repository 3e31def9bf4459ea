import { objectsOf, ownGroup, renderRecords, type UserRecord } from "../../../../scripts/cli/kubeconfig/records";

const OF_GROUP: UserRecord = {
    user: "anna",
    groups: ["team"],
    id: "0a1b2c3d",
    expires: "2026-11-27T18:00:00.000Z",
};
const RECORD: UserRecord = { ...OF_GROUP, namespace: "dev", role: "edit" };

interface Binding {
    readonly kind: string;
    readonly metadata: { readonly namespace?: string };
    readonly roleRef: { readonly kind: string; readonly name: string };
    readonly subjects: readonly { readonly kind: string; readonly name: string }[];
}

test("rights are bound to a group of this one kubeconfig: another one of the same user hasn't them", () => {
    const [, binding] = objectsOf(RECORD) as [object, Binding];
    expect(binding.subjects).toMatchObject([{ kind: "Group", name: ownGroup(RECORD) }]);
    expect(ownGroup({ ...RECORD, id: "11111111" })).not.toBe(ownGroup(RECORD));
});

test("a role is bound in its namespace, or everywhere", () => {
    const [, inside] = objectsOf(RECORD) as [object, Binding];
    expect([inside.kind, inside.metadata.namespace, inside.roleRef]).toEqual([
        "RoleBinding",
        "dev",
        { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "edit" },
    ]);
    const [, outside] = objectsOf({ ...OF_GROUP, role: "edit" }) as [object, Binding];
    expect([outside.kind, outside.metadata.namespace, outside.roleRef.kind]).toEqual([
        "ClusterRoleBinding",
        undefined,
        "ClusterRole",
    ]);
    expect(objectsOf(OF_GROUP)).toHaveLength(1);
});

test("the list says who has which rights, and until when", () => {
    const noon = new Date("2026-11-27T12:00:00Z");
    const others = [
        { ...RECORD, revoked: true },
        { ...OF_GROUP, expires: "2026-11-27T11:00:00.000Z" },
    ];
    const lines = renderRecords([RECORD, ...others], noon).split("\n");
    expect(lines.map((line) => line.split(/ {2,}/))).toEqual([
        ["USER", "ID", "GROUPS", "RIGHTS", "EXPIRES", "STATE"],
        ["anna", "0a1b2c3d", "team", "edit in dev", "2026-11-27 18:00 UTC", "valid"],
        ["anna", "0a1b2c3d", "team", "edit in dev", "2026-11-27 18:00 UTC", "revoked"],
        ["anna", "0a1b2c3d", "team", "those of the groups", "2026-11-27 11:00 UTC", "expired"],
    ]);
});
