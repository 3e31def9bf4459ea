import type { EngineEvent } from "../../../scripts/engine/event";
import { progressReporter, summaryLine } from "../../../scripts/cli/progress";

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
    const report = progressReporter((line) => lines.push(line), options);
    events.forEach(report);
    return lines.join("\n").replace(/\u001b\[\d+m/g, "");
}

test("one line per changed resource, with what was done, its seconds, and the inputs that changed", () => {
    const events = [
        event({ kind: "start" }),
        event({}),
        event({ operation: "same" }),
        event({ operation: "update", diffKeys: ["stdin"] }),
        event({ kind: "log", message: "a line" }),
        event({ kind: "failed", operation: "create", message: "exit status 1" }),
    ];
    expect(written(events)).toBe(
        [
            "+ cp-1-etcd command:Command created in 1.3s",
            "~ cp-1-etcd command:Command updated in 1.3s [stdin]",
            "✗ cp-1-etcd command:Command failed after 1.3s",
        ].join("\n"),
    );
    expect(written(events, { verbose: true })).toContain("cp-1-etcd: a line");
});

test("the summary counts what happened", () => {
    const none = { created: 0, updated: 0, replaced: 0, deleted: 0, same: 0, seconds: 75 };
    expect(summaryLine({ ...none, created: 3, same: 40, seconds: 5.24 })).toBe("3 created, 40 unchanged in 5.2s");
    expect(summaryLine(none)).toBe("nothing to do in 1m15s");
});
