import type { EngineEvent } from "../../../scripts/engine/event";
import { PulumiEvents } from "../../../scripts/engine/events";

const urnOf = (type: string, name: string): string => `urn:pulumi:test::sample::kubelab:index:Node$${type}::${name}`;
const COMMAND = "command:remote:Command";
const ETCD = urnOf(COMMAND, "cp-1-etcd");
const STACK = "urn:pulumi:test::sample::pulumi:pulumi:Stack::sample-test";

let reported: EngineEvent[];
let events: PulumiEvents;
beforeEach(() => {
    reported = [];
    events = new PulumiEvents((event) => reported.push(event));
});

const step = (op: string, urn = ETCD, type = COMMAND, diffs?: readonly string[]) => ({
    metadata: { op, urn, type, ...(diffs ? { diffs } : {}) },
});
const diagnostic = (message: string, urn = ETCD, severity = "info") => ({
    diagnosticEvent: { urn, message, severity },
});

test("a resource's operation begins and is done, with the inputs that differ", () => {
    events.take({ resourcePreEvent: step("update", ETCD, COMMAND, ["stdin"]) });
    events.take({ resOutputsEvent: step("update", ETCD, COMMAND, ["stdin"]) });
    const common = { operation: "update", urn: ETCD, name: "cp-1-etcd", type: COMMAND, diffKeys: ["stdin"] };
    expect(reported).toEqual([
        { kind: "start", ...common, seconds: expect.any(Number) as number },
        { kind: "done", ...common, seconds: expect.any(Number) as number },
    ]);
});

test("a component is done once, though the engine tells it again with its outputs", () => {
    const node = step("create", urnOf("kubelab:node:Node", "cp-1"), "kubelab:node:Node");
    events.take({ resourcePreEvent: node });
    events.take({ resOutputsEvent: node });
    events.take({ resOutputsEvent: node });
    expect(reported.map(({ kind }) => kind)).toEqual(["start", "done"]);
});

test.each([
    ["create", "create"],
    ["same", "same"],
    ["delete", "delete"],
    ["create-replacement", "replace"],
    // Of the steps of a replacement one is shown, or it would be there three times.
    ["replace", undefined],
    ["delete-replaced", undefined],
    ["read", undefined],
])("the engine's %s is our %s", (op, operation) => {
    events.take({ resOutputsEvent: step(op) });
    expect(reported.map((event) => event.operation)).toEqual(operation === undefined ? [] : [operation]);
});

test("what isn't a resource of the program is left out", () => {
    events.take({ resOutputsEvent: step("create", STACK, "pulumi:pulumi:Stack") });
    events.take({ resOutputsEvent: step("create", urnOf("pulumi:providers:aws", "aws"), "pulumi:providers:aws") });
    events.take({ preludeEvent: { config: {} } });
    expect(reported).toEqual([]);
});

test("a line of a running operation is its log, without marks for colours", () => {
    events.take({ resourcePreEvent: step("create") });
    events.take(diagnostic("<{%reset%}>waiting for etcd<{%reset%}>\n"));
    events.take(diagnostic("<{%reset%}>\n"));
    events.take(diagnostic("not for people", ETCD, "debug"));
    expect(reported.slice(1)).toMatchObject([
        { kind: "log", operation: "create", name: "cp-1-etcd", message: "waiting for etcd" },
    ]);
});

test("a warning is one, of whatever resource", () => {
    events.take(diagnostic("cp-1: has a clock that nothing sets\n", STACK, "warning"));
    expect(reported).toMatchObject([{ kind: "warning", message: "cp-1: has a clock that nothing sets" }]);
});

test("a failed run's message is the errors of its resources, and the engine's own where no resource has one", () => {
    events.take(diagnostic("update failed", STACK, "error"));
    expect(events.failures()).toEqual(["update failed"]);
    events.take({ resourcePreEvent: step("create") });
    events.take({ resOpFailedEvent: step("create") });
    events.take(diagnostic('exit status 1: running "bash -s"\n', ETCD, "error"));
    expect(events.failures()).toEqual([`cp-1-etcd (${COMMAND}): exit status 1: running "bash -s"`]);
    expect(reported.map(({ kind }) => kind)).toContain("failed");
});

test("the summary is what the engine has counted", () => {
    events.take({ summaryEvent: { resourceChanges: { create: 2, update: 1, replace: 3, delete: 4, same: 5 } } });
    expect(events.summary()).toMatchObject({ created: 2, updated: 1, replaced: 3, deleted: 4, same: 5 });
});

test("a run that has counted nothing has changed nothing", () => {
    expect(events.summary()).toMatchObject({ created: 0, updated: 0, replaced: 0, deleted: 0, same: 0 });
});
