import { clockDifferences } from "../../../scripts/cli/differences";

const SENT = Date.parse("2026-11-28T12:00:00Z");
const ANSWERED = SENT + 30_000;
const HOUR = 3_600_000;

test.each([
    ["behind", SENT - HOUR, ["3600 seconds behind this host's"]],
    ["ahead of", ANSWERED + HOUR, ["3600 seconds ahead of this host's"]],
    ["at the time when it was asked", SENT, []],
    ["at the time when it had answered", ANSWERED, []],
    ["a little behind", SENT - 4000, []],
])("a machine whose clock is %s", (_, time, differences) => {
    const text = `time ${time}\n/etc/hosts: edited\n`;
    expect(clockDifferences(text, SENT, ANSWERED).map(({ difference }) => difference)).toEqual(differences);
});

test("a machine that says nothing has no other time", () => {
    expect(clockDifferences("", SENT, ANSWERED)).toEqual([]);
});
