import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type EtcdMember, hasQuorum, majority, parseMember, refuseWithoutQuorum } from "../../../scripts/cli/quorum";
import { planRecovery, type RecoverOptions } from "../../../scripts/cli/recover";
import { Stack } from "../../../scripts/cli/stack";
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
    test("is a majority", () => {
        expect([1, 2, 3, 4, 5].map(majority)).toEqual([1, 2, 2, 3, 3]);
    });

    test("is there where a member has a leader", () => {
        const json = (leader: number): string =>
            `data\n[{"Endpoint":"https://127.0.0.1:2379","Status":{"leader":${leader},"raftIndex":7,"raftTerm":2}}]\n`;
        expect(parseMember("cp-1", json(0))).toEqual({
            ...member("cp-1"),
            status: { hasLeader: false, raftTerm: 2, raftIndex: 7 },
        });
        expect(hasQuorum([parseMember("cp-1", json(0)), parseMember("cp-2", json(5))])).toBe(true);
        expect(hasQuorum([parseMember("cp-1", json(0)), off("cp-2")])).toBe(false);
        expect(parseMember("cp-1", "empty\n")).toEqual({ node: "cp-1", answers: true, hasData: false });
    });

    test("is missed before machines are made anew", () => {
        expect(() => refuseWithoutQuorum(stack, ["cp-1", "cp-3"])).toThrow(/disks of cp-1, cp-3.*recover --stack lab/s);
        expect(() => refuseWithoutQuorum(stack, ["cp-1", "cp-2", "cp-3"])).toThrow(/restore --stack lab FILE/);
        expect(() => refuseWithoutQuorum(stack, ["cp-1", "worker-1"])).not.toThrow();
        controlPlanes(1);
        expect(() => refuseWithoutQuorum(stack, ["cp-1"])).not.toThrow();
    });
});
