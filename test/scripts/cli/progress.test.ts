import type { EngineEvent } from "../../../scripts/engine/event";
import { Progress, summaryLine } from "../../../scripts/cli/progress";

const event = (changes: Partial<EngineEvent>): EngineEvent => ({
    kind: "done",
    operation: "create",
    urn: "urn:pulumi:test::sample::command:remote:Command::cp-1-etcd",
    name: "cp-1-etcd",
    type: "command:remote:Command",
    seconds: 1.26,
    ...changes,
});

function written(events: readonly EngineEvent[], options = {}): string {
    const lines: string[] = [];
    const progress = new Progress({ write: (line) => lines.push(line), ...options });
    events.forEach(progress.report);
    progress.finish();
    return lines.join("\n").replace(/\u001b\[\d+m/g, "");
}

test("one line per changed resource, with what was done, its seconds, and the inputs that changed", () => {
    const events = [
        event({ kind: "start" }),
        event({}),
        event({ operation: "same" }),
        event({ operation: "update", diffKeys: ["stdin"] }),
        event({ kind: "log", message: "a line" }),
        event({ kind: "warning", message: "cp-1: has a clock that nothing sets" }),
        event({ kind: "failed", operation: "create", message: "exit status 1" }),
    ];
    expect(written(events)).toBe(
        [
            "+ cp-1-etcd command:Command created in 1.3s",
            "~ cp-1-etcd command:Command updated in 1.3s [stdin]",
            "! cp-1: has a clock that nothing sets",
            "✗ cp-1-etcd command:Command failed after 1.3s",
        ].join("\n"),
    );
    expect(written(events, { verbose: true })).toContain("cp-1-etcd: a line");
});

test("keys and certificates are counted and components left out, unless one fails or all is asked for", () => {
    const key = (changes: Partial<EngineEvent>) =>
        event({ name: "ca-key", type: "tls:index/privateKey:PrivateKey", ...changes });
    const events = [
        key({}),
        key({ operation: "same" }),
        event({ name: "etcd", type: "kubelab:index:Etcd" }),
        event({ name: "token", type: "random:index/randomId:RandomId" }),
    ];
    expect(written(events)).toBe("+ 2 keys and certificates created");
    expect(written([key({ kind: "failed" })])).toBe("✗ ca-key tls:PrivateKey failed after 1.3s");
    expect(written(events, { verbose: true }).split("\n")).toEqual([
        "+ ca-key tls:PrivateKey created in 1.3s",
        "+ etcd kubelab:Etcd created in 1.3s",
        "+ token random:RandomId created in 1.3s",
    ]);
});

test("the summary counts what happened", () => {
    const none = { created: 0, updated: 0, replaced: 0, deleted: 0, same: 0, seconds: 75 };
    expect(summaryLine({ ...none, created: 3, same: 40, seconds: 5.24 })).toBe("3 created, 40 unchanged in 5.2s");
    expect(summaryLine(none)).toBe("no changes in 1m15s");
    expect(summaryLine({ ...none, same: 40 })).toBe("no changes to 40 resources in 1m15s");
});

test("a preview says what would be, and no seconds", () => {
    const events = [event({}), event({ operation: "delete" }), event({ type: "tls:index/privateKey:PrivateKey" })];
    expect(written(events, { preview: true })).toBe(
        [
            "+ cp-1-etcd command:Command to create",
            "- cp-1-etcd command:Command to delete",
            "+ 1 keys and certificates to create",
        ].join("\n"),
    );
    const counts = { created: 3, updated: 0, replaced: 0, deleted: 1, same: 40, seconds: 5 };
    expect(summaryLine(counts, true)).toBe("3 to create, 1 to delete, 40 unchanged in 5.0s");
});
