import { type AuditEvent, parseEvents, renderEvents, select } from "../../../scripts/cli/audit";

const event = (changes: Partial<AuditEvent> = {}): AuditEvent => ({
    stage: "ResponseComplete",
    requestReceivedTimestamp: "2026-11-27T10:00:00.123456Z",
    verb: "get",
    requestURI: "/api/v1/namespaces/tenants/secrets/password?x=y",
    user: { username: "anna", groups: ["system:authenticated"] },
    objectRef: { resource: "secrets", namespace: "tenants", name: "password" },
    sourceIPs: ["10.240.0.1"],
    responseStatus: { code: 200 },
    ...changes,
});
const everything = { last: 10, all: false, refused: false } as const;
const kubelet = { username: "system:node:worker-1", groups: ["system:nodes"] };

test("a log may begin within a line, and has requests that go on twice", () => {
    const text = `"half":1}\n${JSON.stringify(event())}\n${JSON.stringify(event({ stage: "ResponseStarted" }))}\n`;
    expect(parseEvents(text)).toEqual([event()]);
});

test("says who, what, where, and how it ended", () => {
    const lines = renderEvents([
        event(),
        event({ impersonatedUser: { username: "tenant" }, responseStatus: { code: 403 }, verb: "create" }),
    ]).split("\n");
    expect(lines.map((line) => line.split(/ {2,}/))).toEqual([
        ["TIME (UTC)", "WHO", "WHAT", "WHERE", "RESULT"],
        ["2026-11-27 10:00:00", "anna", "get secrets/password", "namespace tenants, from 10.240.0.1", "200 done"],
        [
            "2026-11-27 10:00:00",
            "tenant (anna as that user)",
            "create secrets/password",
            "namespace tenants, from 10.240.0.1",
            "403 refused",
        ],
    ]);
});

test("shows no words of a command that ran in a pod, and nothing that a terminal would obey", () => {
    const text = renderEvents([
        event({ objectRef: undefined as never, requestURI: "/x?command=password", user: { username: "\u001b[2J" } }),
    ]);
    expect(text).not.toContain("password");
    expect(text).toContain("?[2J");
});

test("leaves out what the cluster's own parts do, unless they were refused or all is asked for", () => {
    const refused = event({ user: kubelet, responseStatus: { code: 403 } });
    const events = [event(), event({ user: kubelet }), refused];
    expect(select(events, everything)).toEqual([event(), refused]);
    expect(select(events, { ...everything, all: true })).toHaveLength(3);
    expect(select(events, { ...everything, refused: true })).toEqual([refused]);
    expect(select(events, { ...everything, user: "system:node:worker-1" })).toHaveLength(2);
});

test("shows the last ones, of all control planes by time", () => {
    const at = (second: number) => event({ requestReceivedTimestamp: `2026-11-27T10:00:0${second}.0Z` });
    expect(select([at(3), at(1), at(2)], { ...everything, last: 2 })).toEqual([at(2), at(3)]);
});
