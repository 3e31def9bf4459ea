import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ClusterAccess } from "../../../scripts/cli/cluster-access";
import { type EtcdMember, hasQuorum, majority, parseMember, refuseWithoutQuorum } from "../../../scripts/cli/quorum";
import { planRecovery, type RecoverOptions } from "../../../scripts/cli/recover";
import { Stack, type StackNode } from "../../../scripts/cli/stack";
import { temporaryDirectory } from "../../support/bash";

const alone = { hasLeader: false, raftTerm: 3, raftIndex: 100 };
const member = (node: string, status?: EtcdMember["status"]): EtcdMember =>
    status === undefined ? { node, answers: true, hasData: true } : { node, answers: true, hasData: true, status };
const off = (node: string): EtcdMember => ({ node, answers: false, hasData: false });

let directory: ReturnType<typeof temporaryDirectory>;
let stack: Stack;

function controlPlanes(count: number): void {
    const nodes = Array.from({ length: count }, (_, index) => ({ name: `cp-${index + 1}`, role: "control-plane" }));
    mkdirSync(stack.directory, { recursive: true });
    writeFileSync(join(stack.directory, "outputs.json"), JSON.stringify({ nodes }));
}

const plan = (
    members: readonly EtcdMember[],
    options: Partial<RecoverOptions & { absent: string[] }> = {},
): ReturnType<typeof planRecovery> => planRecovery(stack, members, { without: [], absent: [], ...options });

beforeEach(() => {
    directory = temporaryDirectory();
    stack = new Stack(directory.path, "lab");
    controlPlanes(3);
});
afterEach(() => {
    directory.remove();
});

describe("a recovery", () => {
    test("is of the one that is left", () => {
        expect(plan([member("cp-1", alone), off("cp-2"), off("cp-3")], { absent: ["cp-2", "cp-3"] })).toEqual({
            alone: "cp-1",
            joinAgain: [],
            gone: ["cp-2", "cp-3"],
        });
    });

    test("is of the newest of several, and the others join it again", () => {
        controlPlanes(5);
        const rest = [
            member("cp-1", { ...alone, raftIndex: 200 }),
            member("cp-2", { ...alone, raftTerm: 4 }),
            off("cp-3"),
            off("cp-4"),
            off("cp-5"),
        ];
        const absent = ["cp-3", "cp-4", "cp-5"];
        expect(plan(rest, { absent })).toEqual({ alone: "cp-2", joinAgain: ["cp-1"], gone: absent });
        expect(plan(rest, { absent, from: "cp-1" })).toMatchObject({ alone: "cp-1", joinAgain: ["cp-2"] });
        expect(() => plan(rest, { absent, from: "cp-3" })).toThrow(/cp-3 has no data/);
    });

    test("asks which one where not all say how new they are", () => {
        controlPlanes(5);
        const rest = [member("cp-1", alone), member("cp-2"), off("cp-3"), off("cp-4"), off("cp-5")];
        const absent = ["cp-3", "cp-4", "cp-5"];
        expect(() => plan(rest, { absent })).toThrow(/cp-1, cp-2 have data.*--from cp-1/s);
        expect(plan([member("cp-1"), ...rest.slice(2)], { absent }).alone).toBe("cp-1");
    });

    test.each([
        ["has its quorum", [member("cp-1", { ...alone, hasLeader: true }), off("cp-2"), off("cp-3")], {}],
        ["--without cp-2 cp-3", [member("cp-1", alone), off("cp-2"), off("cp-3")], {}],
        ["--without cp-3", [member("cp-1", alone), off("cp-2"), off("cp-3")], { without: ["cp-2"] }],
        ["no control plane", [member("cp-1", alone), off("cp-2"), off("cp-3")], { without: ["worker-1"] }],
        ["No control plane has data", [off("cp-1"), off("cp-2"), off("cp-3")], { absent: ["cp-1", "cp-2", "cp-3"] }],
        ["There is one control plane", [], {}],
    ])("is refused: %s", (message, members, options) => {
        expect(() => plan(members, options)).toThrow(message);
    });

    test("goes without those that are named", () => {
        const members = [member("cp-1", alone), off("cp-2"), off("cp-3")];
        expect(plan(members, { without: ["cp-2", "cp-3"] }).gone).toEqual(["cp-2", "cp-3"]);
    });
});

describe("a quorum", () => {
    /** What a member says of itself. */
    const said = (leader: number): string =>
        `data\n[{"Endpoint":"https://127.0.0.1:2379","Status":{"leader":${leader},"raftIndex":7,"raftTerm":2}}]\n`;

    test("is a majority", () => {
        expect([1, 2, 3, 4, 5].map(majority)).toEqual([1, 2, 2, 3, 3]);
    });

    test("is there where a member has a leader", () => {
        expect(parseMember("cp-1", said(0))).toEqual({
            ...member("cp-1"),
            status: { hasLeader: false, raftTerm: 2, raftIndex: 7 },
        });
        expect(hasQuorum([parseMember("cp-1", said(0)), parseMember("cp-2", said(5))])).toBe(true);
        expect(hasQuorum([parseMember("cp-1", said(0)), off("cp-2")])).toBe(false);
        expect(parseMember("cp-1", "empty\n")).toEqual({ node: "cp-1", answers: true, hasData: false });
        // Of etcdctl 3.7, where its member doesn't answer.
        expect(parseMember("cp-1", "data\nnull\n")).toEqual(member("cp-1"));
    });

    describe("before machines are made anew", () => {
        /** What the members that are left say of their leader. */
        const refuse = (absent: readonly string[], leader = 0): Promise<void> => {
            class Answering extends ClusterAccess {
                override tryAsRoot({ name }: StackNode): Promise<{ code: number; stdout: string; stderr: string }> {
                    expect(absent).not.toContain(name);
                    return Promise.resolve({ code: 0, stdout: said(leader), stderr: "" });
                }
            }
            return refuseWithoutQuorum(new Answering(stack, "kubectl"), absent, 0);
        };

        test("is missed", async () => {
            await expect(refuse(["cp-1", "cp-3"])).rejects.toThrow(/disks of cp-1, cp-3.*recover --stack lab/s);
            await expect(refuse(["cp-1", "cp-2", "cp-3"])).rejects.toThrow(/restore --stack lab FILE/);
        });

        test("is there where a majority is, or where one goes on alone", async () => {
            await refuse(["cp-1", "worker-1"]);
            await refuse(["cp-1", "cp-3"], 5);
            controlPlanes(1);
            await refuse(["cp-1"]);
        });
    });
});
