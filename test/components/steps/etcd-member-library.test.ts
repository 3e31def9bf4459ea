import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { STEP_LIBRARY } from "../../../components/steps/script";
import { bash, type BashResult, temporaryDirectory } from "../../support/bash";

const directory = temporaryDirectory();
afterAll(directory.remove);
const path = (name: string): string => join(directory.path, name);

/** An etcdctl that answers with files named by its command, and notes what it was asked. Without a file it doesn't answer. */
const ETCDCTL = `etcdctl() {
    local words="$*"
    words=\${words#*--command-timeout 5s }
    printf '%s\\n' "$words" >>${path("asked")}
    words=\${words%% --*}
    # A member that was removed is gone.
    if [[ $words = 'member remove '* ]]; then sed -i "/^\${words##* },/d" "${path("answers")}/member-list"; fi
    cat "${path("answers")}/\${words// /-}" 2>/dev/null || { echo "Error: context deadline exceeded"; return 1; }
}
curl() { [ -e ${path("answers")}/health ]; }`;

function step(statement: string, operation: "create" | "update" = "create"): BashResult {
    const library = STEP_LIBRARY.replaceAll("/etc/etcd/initial-cluster.env", path("initial-cluster.env"))
        .replaceAll("etcd_data=/var/lib/etcd", `etcd_data=${path("data")}`)
        // Nobody waits for an answer that never comes.
        .replaceAll(/within (60|120|180) /g, "within 0 ");
    return bash(["set -euo pipefail", library, ETCDCTL, `operation=${operation}`, statement].join("\n"));
}

function answer(answers: Readonly<Record<string, string>>): void {
    rmSync(path("answers"), { recursive: true, force: true });
    mkdirSync(path("answers"));
    for (const [name, text] of Object.entries(answers)) {
        writeFileSync(path(`answers/${name}`), text);
    }
}

const asked = (): string[] => (existsSync(path("asked")) ? readFileSync(path("asked"), "utf8").trim().split("\n") : []);
const initial = (): string | undefined =>
    existsSync(path("initial-cluster.env")) ? readFileSync(path("initial-cluster.env"), "utf8") : undefined;

const CP_1 = "5e6c, started, cp-1, https://10.0.0.11:2380, https://10.0.0.11:2379, false";
const ENTER = "etcd_enter cp-2 https://10.0.0.12:2380 https://10.0.0.11:2379";
const FOUND = "etcd_enter cp-1 https://10.0.0.11:2380 https://10.0.0.12:2379,https://10.0.0.13:2379 found";
const ADDED =
    'Member 3555 added\n\nETCD_NAME="cp-2"\nETCD_INITIAL_CLUSTER="cp-2=b,cp-1=a"\nETCD_INITIAL_CLUSTER_STATE="existing"\n';

beforeEach(() => {
    ["data", "asked", "initial-cluster.env"].forEach((name) => rmSync(path(name), { recursive: true, force: true }));
    answer({});
});

test("a member that has data starts with it, and asks nobody", () => {
    mkdirSync(path("data/member"), { recursive: true });
    expect(step(ENTER)).toMatchObject({ status: 0, stderr: "" });
    expect(asked()).toEqual([]);
    expect(initial()).toBeUndefined();
});

test("the first member begins a cluster when its step runs for the first time and no other one answers", () => {
    expect(step(FOUND).status).toBe(0);
    expect(initial()).toBe("ETCD_INITIAL_CLUSTER=cp-1=https://10.0.0.11:2380\nETCD_INITIAL_CLUSTER_STATE=new\n");
});

test("a first member that lost its data joins the others, and begins no second cluster while they are away", () => {
    const { status, stderr } = step(FOUND, "update");
    expect(status).toBe(1);
    expect(stderr).toContain("etcd has no data here, and no other member answers at https://10.0.0.12:2379");
    expect(initial()).toBeUndefined();

    answer({ "member-list": CP_1.replaceAll("cp-1", "cp-2").replaceAll(".11:", ".12:"), "member-add-cp-1": ADDED });
    expect(step(FOUND, "update").status).toBe(0);
    expect(initial()).toContain('ETCD_INITIAL_CLUSTER_STATE="existing"');
});

test("a new member becomes a learner", () => {
    answer({ "member-list": CP_1, "member-add-cp-2": ADDED });
    expect(step(ENTER).status).toBe(0);
    expect(asked().at(-1)).toBe("member add cp-2 --learner --peer-urls https://10.0.0.12:2380");
    expect(initial()).toBe('ETCD_INITIAL_CLUSTER="cp-2=b,cp-1=a"\nETCD_INITIAL_CLUSTER_STATE="existing"\n');
});

test("a machine that replaces a member removes it first", () => {
    const former = "3555, started, cp-2, https://10.0.0.12:2380, https://10.0.0.12:2379, false";
    answer({ "member-list": `${CP_1}\n${former}`, "member-remove-3555": "removed", "member-add-cp-2": ADDED });
    expect(step(ENTER).status).toBe(0);
    expect(asked().filter((words) => !words.endsWith("list"))).toEqual([
        "member remove 3555",
        "member add cp-2 --learner --peer-urls https://10.0.0.12:2380",
    ]);
});

test("a host that has a former one's name, and another address, takes its place", () => {
    const former = "3555, started, cp-2, https://10.0.0.99:2380, https://10.0.0.99:2379, false";
    answer({ "member-list": `${CP_1}\n${former}`, "member-remove-3555": "removed", "member-add-cp-2": ADDED });
    expect(step(ENTER).status).toBe(0);
    expect(asked().filter((words) => !words.endsWith("list"))).toEqual([
        "member remove 3555",
        "member add cp-2 --learner --peer-urls https://10.0.0.12:2380",
    ]);
});

test("no member is added while another one is learning, and the reason is told", () => {
    answer({ "member-list": CP_1.replace("false", "true"), "member-add-cp-2": ADDED });
    expect(step(ENTER)).toMatchObject({
        status: 1,
        stderr: expect.stringContaining("the other members of etcd take no new one: 5e6c, started, cp-1") as string,
    });
});

test("a learner is healthy once it has a vote", () => {
    const health = "etcd_votes https://10.0.0.12:2380 https://10.0.0.11:2379 curl https://127.0.0.1:2379/health";
    const learner = CP_1.replace("5e6c", "3555").replace("false", "true").replaceAll(".11:", ".12:");
    answer({ health: "", "endpoint-status": '"IsLearner" : true', "member-list": `${CP_1}\n${learner}` });
    expect(step(health).status).toBe(1);
    expect(asked().at(-1)).toBe("member promote 3555");
    answer({ health: "", "endpoint-status": '"IsLearner" : false' });
    expect(step(health).status).toBe(0);
});

test("a member gives the lead away and leaves, and one that has left before is nothing to do", () => {
    const leave = "etcd_leave cp-2 https://10.0.0.12:2380 https://10.0.0.12:2379 https://10.0.0.11:2380";
    answer({
        "member-list": `${CP_1}\n${CP_1.replace("5e6c", "3555").replaceAll(".11:", ".12:")}`,
        "member-remove-3555": "",
    });
    expect(step(leave).status).toBe(0);
    expect(asked().filter((words) => words !== "member list")).toEqual(["move-leader 5e6c", "member remove 3555"]);
    answer({ "member-list": CP_1 });
    expect(step(leave).status).toBe(0);
    answer({});
    expect(step(leave).stderr).toContain(
        "etcd doesn't answer, so cp-2 can't leave it: Error: context deadline exceeded",
    );
});
