import { readUserRequest, type UserOptions } from "../../../../scripts/cli/kubeconfig/options";

const OPTIONS: UserOptions = { user: "anna", group: ["team"], namespace: "dev", role: "edit", expires: "8h" };

test("a user has a name, groups, rights and an end", () => {
    const { user, namespace, role, group } = OPTIONS;
    expect(readUserRequest(OPTIONS)).toEqual({ user, namespace, role, groups: group, seconds: 8 * 3600 });
    expect(readUserRequest({ ...OPTIONS, user: "anna@example.org", expires: "7d" }).seconds).toBe(7 * 86400);
});

test.each([
    [{ user: "system:admin" }, /--user: "system:admin" is no name/],
    [{ user: "a/../b" }, /--user/],
    [{ group: ["system:masters"] }, /"system:masters" is one of the cluster's own/],
    [{ group: ["kubelab:cluster-admins"] }, /one of the cluster's own/],
    [{ group: ["a,O=b"] }, /--group: "a,O=b" is no name/],
    [{ namespace: "Dev" }, /--namespace: "Dev"/],
    [{ role: "-x" }, /--role: "-x"/],
    [{ role: undefined }, /--namespace: has no effect without --role/],
    [{ group: [], role: undefined, namespace: undefined }, /give --role, --group or both/],
    [{ expires: "8" }, /--expires: "8" is no time/],
    [{ expires: "9m" }, /from 10m to 7d/],
    [{ expires: "8d" }, /from 10m to 7d/],
])("%j is refused", (changes, message) => {
    expect(() => readUserRequest({ ...OPTIONS, ...changes } as UserOptions)).toThrow(message);
});

test("all that is wrong is told at once", () => {
    expect(() => readUserRequest({ ...OPTIONS, user: "", expires: "soon" })).toThrow(/--user[^]*--expires/);
});
