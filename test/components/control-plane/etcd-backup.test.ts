import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { backupCalendar } from "../../../components/cluster-spec/backup";
import { backupService } from "../../../components/control-plane/etcd-backup";
import { parseSnapshot } from "../../../scripts/cli/status";
import { bash, temporaryDirectory } from "../../support/bash";
import { testSpec } from "../../support/spec";

const PROGRAM = readFileSync(join(__dirname, "../../../components/control-plane/etcd-backup.sh"), "utf8");
const PAGES = "pages of a database";

describe("the program", () => {
    const directory = temporaryDirectory();
    const at = (...names: string[]): string => join(directory.path, ...names);
    const snapshots = (): string[] => readdirSync(at("snapshots")).sort();
    afterAll(directory.remove);
    beforeEach(() => {
        rmSync(directory.path, { recursive: true, force: true });
        for (const name of ["bin", "snapshots", "state", "data/member/snap"]) {
            mkdirSync(at(name), { recursive: true });
        }
        writeFileSync(at("data/member/snap/db"), PAGES);
        answer(Buffer.concat([Buffer.from(PAGES), createHash("sha256").update(PAGES).digest()]));
        program("etcdutl", `echo '{"hash":1,"revision":12,"totalKey":7,"totalSize":4096,"version":"3.7.3"}'`);
    });

    function program(name: string, text: string): void {
        writeFileSync(at("bin", name), `#!/bin/bash\n${text}\n`);
        chmodSync(at("bin", name), 0o755);
    }

    /** What etcd sends as its snapshot. */
    function answer(bytes: Buffer): void {
        writeFileSync(at("sent"), bytes);
        program("etcdctl", `cp ${at("sent")} "\${@: -1}"`);
    }

    function take(keep = 2): ReturnType<typeof bash> {
        const settings = `DIRECTORY=${at("snapshots")} KEEP=${keep} STATE_DIRECTORY=${at("state")} DATA=${at("data")}`;
        return bash(`export PATH=${at("bin")}:$PATH ${settings}\n${PROGRAM}`);
    }

    test("leaves a snapshot that its owner alone reads, and tells everyone what it was", () => {
        expect(take()).toMatchObject({ status: 0, stderr: "" });
        const [name = "", ...others] = snapshots();
        expect(others).toEqual([]);
        expect(name).toMatch(/^\d{8}T\d{6}Z\.db$/);
        expect(statSync(at("snapshots", name)).mode & 0o777).toBe(0o600);
        const last = readFileSync(at("state/last"), "utf8");
        expect(last).toBe(`${name}: 7 keys at revision 12, 51 bytes; 1 kept in ${at("snapshots")}\n`);
        expect(statSync(at("state/last")).mode & 0o777).toBe(0o644);
        expect(parseSnapshot(`7500 ${last}`)).toBe(`2 h ago: ${last.trim()}`);
    });

    test("keeps the newest ones, and what isn't its own", () => {
        const old = ["20260101T000000Z.db", "20260102T000000Z.db", "20260103T000000Z.db"];
        for (const name of [...old, "mine.db"]) {
            writeFileSync(at("snapshots", name), "");
        }
        expect(take().stdout).toContain("removed 20260101T000000Z.db\nremoved 20260102T000000Z.db\n");
        expect(snapshots()).toEqual([old[2], expect.stringMatching(/^2\d{7}T\d{6}Z\.db$/), "mine.db"]);
    });

    test.each([
        ["is another than etcd sent", () => answer(Buffer.from(`${"x".repeat(60)}`)), /sha256 differs/],
        ["etcdutl finds damaged", () => program("etcdutl", "echo 'integrity check failed' >&2; exit 1"), /integrity/],
        ["etcd doesn't give", () => program("etcdctl", "echo 'connection refused' >&2; exit 1"), /refused/],
        ["has no room", () => program("df", "echo Avail; echo 1048576"), /has 1 MiB free: .* 64 MiB stay free/],
    ])("takes nothing that %s, says so, and keeps the former ones", (_, spoil, reason) => {
        const old = ["20260101T000000Z.db", "20260102T000000Z.db", "20260103T000000Z.db"];
        for (const name of [...old, ".new.db"]) {
            writeFileSync(at("snapshots", name), "of a run that was cut off");
        }
        spoil();
        const { status, stderr } = take(1);
        expect(status).not.toBe(0);
        expect(stderr).toMatch(reason);
        expect(snapshots()).toEqual(old);
        expect(existsSync(at("state/last"))).toBe(false);
    });
});

test("a time between snapshots has the same times every day", () => {
    expect(backupCalendar("15m")).toBe("*-*-* *:0/15:00 UTC");
    expect(backupCalendar("6h")).toBe("*-*-* 0/6:00:00 UTC");
    expect(backupCalendar("1d")).toBe("*-*-* 00:00:00 UTC");
    expect(["0m", "7m", "60m", "5h", "24h", "2d", "6", "6H", ""].filter(backupCalendar)).toEqual([]);
});

test("the unit writes to the directory of the config and to its own, as etcd's user", () => {
    const { backup } = testSpec({ backup: { every: "6h", directory: "/srv/etcd/snapshots" } });
    expect(backup).toMatchObject({ keep: 28 });
    const unit = backup === undefined ? "" : backupService(backup);
    expect(unit).toContain("\nUser=etcd\n");
    expect(unit).toContain("\nProtectSystem=strict\n");
    expect(unit).toContain("\nReadWritePaths=/srv/etcd/snapshots\n");
    expect(unit).toContain("\nStateDirectory=etcd-backup\n");
});
