import { isOwner, ownedByAnother } from "../../../scripts/machines/owner";

const LAB = { lab: "kubenet", owner: { key: "ssh-ed25519 AAAA", stack: "kubenet" }, directory: "/home/a/kubelab" };
const OTHER = { ...LAB, owner: { key: "ssh-ed25519 BBBB", stack: "kubenet" }, directory: "/home/b/kubelab" };
const there = (): boolean => true;

test("a second checkout with a stack of the same name is refused, with the directory that the lab belongs to", () => {
    expect(ownedByAnother(LAB, OTHER, there)).toMatch(
        /^The lab "kubenet" on this host belongs to the stack "kubenet" of \/home\/a\/kubelab\. Take it down there .*kubelab:name/,
    );
});

test("so is another stack of the same checkout that names its lab the same", () => {
    const stack = { ...OTHER, owner: { ...OTHER.owner, stack: "cni" }, directory: LAB.directory };
    expect(ownedByAnother(LAB, stack, there)).toMatch(/belongs to the stack "kubenet"/);
});

test("so is one that doesn't say who it is", () => {
    expect(ownedByAnother(LAB, { lab: "kubenet" }, there)).toMatch(/belongs to the stack "kubenet"/);
});

test("the owner has its lab, also from a checkout that was moved, or another one on the same state", () => {
    expect(ownedByAnother(LAB, LAB, there)).toBeUndefined();
    expect(ownedByAnother(LAB, { ...LAB, directory: "/srv/kubelab" }, there)).toBeUndefined();
});

test("a lab is taken over by its own stack that lost its state, and where the owner's checkout is gone", () => {
    const lost = { ...LAB, owner: { ...LAB.owner, key: "ssh-ed25519 CCCC" } };
    expect(ownedByAnother(LAB, lost, there)).toBeUndefined();
    expect(ownedByAnother(LAB, OTHER, () => false)).toBeUndefined();
});

test("a new lab, and one of a version that noted no owner, are anybody's", () => {
    expect(ownedByAnother(undefined, LAB, there)).toBeUndefined();
    expect(ownedByAnother({ lab: "kubenet" }, OTHER, there)).toBeUndefined();
    expect([isOwner(undefined, "x"), isOwner({ lab: "kubenet" }, "x"), isOwner(LAB, "x")]).toEqual([true, true, false]);
    expect(isOwner(LAB, LAB.owner.key)).toBe(true);
});
