import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { STEP_LIBRARY } from "../../../components/steps/script";
import { bash, type BashResult, temporaryDirectory } from "../../support/bash";

const directory = temporaryDirectory();
afterAll(directory.remove);
const path = (name: string): string => join(directory.path, name);
const PREFERENCE = "keepalived/preference.conf";

/** @param reload what the unit's reload does, beside noting the preference that it reads. */
function take(reload = ":"): BashResult & { readonly read: string } {
    const library = STEP_LIBRARY.replaceAll("/run/$1/", `${directory.path}/$1/`).replaceAll("within 10 ", "within 0 ");
    const commands = [
        `ip() { [ "$*" != "-o -4 address show to 10.0.0.10/32" ] || cat ${path("address")} 2>/dev/null || true; }`,
        `systemctl() { { echo "$*"; cat ${path(PREFERENCE)}; } >>${path("read")}; ${reload}; }`,
    ];
    const result = bash(["set -euo pipefail", library, ...commands, "take_address keepalived 10.0.0.10"].join("\n"));
    return { ...result, read: readFileSync(path("read"), "utf8") };
}

beforeEach(() => {
    rmSync(path("address"), { force: true });
    mkdirSync(path("keepalived"), { recursive: true });
    writeFileSync(path(PREFERENCE), "nopreempt\npriority 100\n");
    writeFileSync(path("read"), "");
});

test.each([
    ["has it then", `touch ${path("address")}; echo eth0 >${path("address")}`],
    ["goes on where it doesn't get it", ":"],
])("a control plane takes the address from whoever has it, once, and %s", (_, reload) => {
    const { status, stderr, read } = take(reload);
    expect([status, stderr]).toEqual([0, ""]);
    expect(read).toBe("reload keepalived\npriority 200\nreload keepalived\nnopreempt\npriority 100\n");
    expect(readFileSync(path(PREFERENCE), "utf8")).toBe("nopreempt\npriority 100\n");
});

test("one that has it does nothing", () => {
    writeFileSync(path("address"), "eth0");
    expect(take()).toMatchObject({ status: 0, read: "" });
});
