import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { STEP_LIBRARY } from "../../../components/steps/script";
import { bash, type BashResult, temporaryDirectory } from "../../support/bash";

const directory = temporaryDirectory();
afterAll(directory.remove);
const path = (name: string): string => join(directory.path, name);

/**
 * The API of one node, in files: `node` has what the template of node_state prints, `drain` what a drain says where it fails. What else it
 * is asked is noted. etcd answers where there is `etcd`.
 */
const PROGRAMS = `admin_kubectl() {
    case "$*" in
        *"get node"*) cat ${path("node")} ;;
        drain*) echo "$*" >>${path("asked")}; [ ! -e ${path("drain")} ] || { cat ${path("drain")} >&2; return 1; } ;;
        *) echo "$*" >>${path("asked")} ;;
    esac
}
etcdctl() {
    [ -e ${path("etcd")} ] || { echo "Error: context deadline exceeded"; return 1; }
    [[ "$*" != *"snapshot save"* ]] || echo snapshot >"\${!#}"
}
etcdutl() { [ "$(cat "\${!#}")" = "$(cat ${path("etcd")})" ] || [ "$(cat ${path("etcd")})" = "" ] || { echo "Error: damaged"; return 1; }; }`;

function run(statement: string): BashResult {
    const library = STEP_LIBRARY.replaceAll("/var/lib/kubelab", path("state")).replaceAll(
        /within (60|120) /g,
        "within 0 ",
    );
    return bash(["set -euo pipefail", library, PROGRAMS, statement].join("\n"));
}

const asked = (): string[] => (existsSync(path("asked")) ? readFileSync(path("asked"), "utf8").trim().split("\n") : []);
const node = (text: string): void => writeFileSync(path("node"), text);

beforeEach(() => {
    ["state", "asked", "drain", "etcd", "node"].forEach((name) => rmSync(path(name), { recursive: true, force: true }));
    mkdirSync(path("state/record"), { recursive: true });
    writeFileSync(path("state/record/worker-1-node"), "");
});

const DRAIN = "drain_node worker-1 1.36.3 2.4.2 30";

describe("a drain", () => {
    test("of a node that isn't one yet, or has the versions, does nothing", () => {
        node("v1.36.3 containerd://v2.4.2 ,");
        expect(run(DRAIN)).toMatchObject({ status: 0, stderr: "" });
        rmSync(path("state/record/worker-1-node"));
        node("v1.36.2 containerd://2.4.2 ,");
        expect(run(DRAIN)).toMatchObject({ status: 0, stderr: "" });
        expect(asked()).toEqual([]);
    });

    test.each([
        ["kubelet", "v1.36.2 containerd://2.4.2 ,"],
        ["containerd", "v1.36.3 containerd://2.4.1 ,"],
    ])("comes before another %s, and marks that it has cordoned", (_, text) => {
        node(text);
        expect(run(DRAIN).status).toBe(0);
        expect(asked()).toEqual([
            'patch node worker-1 -p {"metadata":{"annotations":{"kubelab/cordoned-for-rollout":"true"}},"spec":{"unschedulable":true}}',
            "drain worker-1 --ignore-daemonsets --delete-emptydir-data --timeout=30s",
        ]);
    });

    test("of a node whose last change came to its end with the versions doesn't ask the API; one that didn't does", () => {
        expect(run(`note_node worker-1 1.36.3 2.4.2\n${DRAIN}`)).toMatchObject({ status: 0, stderr: "" });
        node("v1.36.3 containerd://2.4.2 ,");
        expect(run(`drain_node worker-1 1.36.4 2.4.2 30\n${DRAIN}`).status).toBe(0);
        node("v1.36.4 containerd://2.4.2 ,");
        expect(run(DRAIN).status).toBe(0);
        expect(asked().filter((line) => line.startsWith("drain"))).toHaveLength(2);
    });

    test("of a node that somebody has cordoned leaves no mark", () => {
        node("v1.36.2 containerd://2.4.2 cordoned,");
        expect(run(DRAIN).status).toBe(0);
        expect(asked()).toEqual(["drain worker-1 --ignore-daemonsets --delete-emptydir-data --timeout=30s"]);
    });

    test("that doesn't come to its end tells why, and makes the node schedulable again", () => {
        node("v1.36.2 containerd://2.4.2 cordoned,marked");
        const budget =
            'error when evicting pods/"web-1" -n "default" (will retry after 5s): Cannot evict pod as it would violate the pod\'s disruption budget.';
        writeFileSync(
            path("drain"),
            `evicting pod default/web-1\n${budget}\n${budget}\nerror: global timeout reached: 30s\n`,
        );
        const { status, stderr } = run(DRAIN);
        expect(status).toBe(1);
        expect(stderr).toMatch(/worker-1 is not drained after 30 seconds, so nothing has changed on it:/);
        expect(stderr.match(/violate the pod's disruption budget/g)).toHaveLength(1);
        expect(asked().at(-1)).toContain('"unschedulable":null');
    });

    test("without an answer of the API changes nothing", () => {
        expect(run(DRAIN)).toMatchObject({
            status: 1,
            stderr: expect.stringContaining("the API doesn't say") as string,
        });
    });
});

test("only what a rollout has cordoned takes pods again after it", () => {
    node("v1.36.3 containerd://2.4.2 cordoned,");
    expect(run("uncordon_node worker-1").status).toBe(0);
    expect(asked()).toEqual([]);
    node("v1.36.3 containerd://2.4.2 cordoned,marked");
    expect(run("uncordon_node worker-1").status).toBe(0);
    expect(asked()).toEqual([
        'patch node worker-1 -p {"metadata":{"annotations":{"kubelab/cordoned-for-rollout":null}},"spec":{"unschedulable":null}}',
    ]);
});

test("a kubelet that stays what it was is told with its version", () => {
    node("v1.36.3 containerd://2.4.2 ,");
    expect(run("await_kubelet worker-1 1.36.3")).toMatchObject({ status: 0, stderr: "" });
    node("v1.36.2 containerd://2.4.2 ,");
    expect(run("await_kubelet worker-1 1.36.3").stderr).toMatch(
        /the kubelet of worker-1 is still 1\.36\.2 and not 1\.36\.3/,
    );
});

describe("a snapshot before programs change", () => {
    const kept = (): string[] => readdirSync(path("state/before-rollout"));

    test("is kept, the last three of them", () => {
        writeFileSync(path("etcd"), "");
        mkdirSync(path("state/before-rollout"));
        const former = ["20200101T000000Z.db", "20200102T000000Z.db", "20200103T000000Z.db"];
        former.forEach((name) => writeFileSync(path(`state/before-rollout/${name}`), ""));
        expect(run("snapshot_before_change")).toMatchObject({ status: 0, stderr: "" });
        expect(kept()).toEqual([...former.slice(1), expect.stringMatching(/^20[2-9]\d{5}T\d{6}Z\.db$/) as string]);
    });

    test("that is damaged stops them", () => {
        writeFileSync(path("etcd"), "other");
        expect(run("snapshot_before_change").stderr).toMatch(
            /no snapshot of etcd, so no program changes: Error: damaged/,
        );
    });

    test("isn't taken of an etcd that doesn't answer: other programs may be its repair", () => {
        const { status, stderr } = run("snapshot_before_change");
        expect(status).toBe(0);
        expect(stderr).toMatch(/etcd does not answer, so no snapshot is taken/);
    });
});

test("a minor version before the newest that has run is refused with the page of the rule, and no other", () => {
    const refused = (version: string): string => run(`refuse_older kubernetes ${version} https://page.example`).stderr;
    expect(refused("1.35")).toBe("");
    expect(run("note_version kubernetes 1.36").status).toBe(0);
    expect([refused("1.36"), refused("1.37"), refused("2.0")]).toEqual(["", "", ""]);
    expect(refused("1.35")).toMatch(
        /kubelab:versions\.kubernetes: 1\.35 is older than the 1\.36 .*use 1\.36: https:\/\/page/,
    );
    expect(refused("0.40")).toMatch(/is older than/);
});
