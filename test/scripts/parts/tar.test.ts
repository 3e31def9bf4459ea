import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileCapability } from "../../../scripts/parts/oci/capability";
import { type TarEntry, tarArchive } from "../../../scripts/parts/oci/tar";

const TIME = 1_577_836_800;
const long = `${"d/".repeat(60)}a-file-with-a-long-path`;
const entries: readonly TarEntry[] = [
    { path: "usr", type: "directory", mode: 0o755 },
    { path: "usr/hello", type: "file", mode: 0o640, content: Buffer.from("hello\n") },
    { path: "link", type: "symlink", mode: 0o777, target: "usr/hello" },
    { path: "far-link", type: "symlink", mode: 0o777, target: `/${"t".repeat(150)}` },
    { path: "full", type: "file", mode: 0o755, content: Buffer.alloc(1024, 7) },
    { path: long, type: "file", mode: 0o644, content: Buffer.from("deep") },
];

let directory: string;
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), "kubelab-tar-"))));
afterEach(() => rmSync(directory, { recursive: true }));

test("GNU tar unpacks what was packed: contents, modes, links, long names and times", () => {
    execFileSync("tar", ["-xpf", "-", "-C", directory], { input: tarArchive(entries, TIME) });
    expect(readFileSync(join(directory, "usr/hello"), "utf8")).toBe("hello\n");
    expect(statSync(join(directory, "usr/hello")).mode & 0o777).toBe(0o640);
    expect(statSync(join(directory, "usr/hello")).mtimeMs).toBe(TIME * 1000);
    expect(readlinkSync(join(directory, "link"))).toBe("usr/hello");
    expect(readlinkSync(join(directory, "far-link"))).toBe(`/${"t".repeat(150)}`);
    expect(readFileSync(join(directory, "full"))).toEqual(Buffer.alloc(1024, 7));
    expect(readFileSync(join(directory, long), "utf8")).toBe("deep");
});

test("the order of the entries doesn't change the archive", () => {
    expect(tarArchive([...entries].reverse(), TIME).equals(tarArchive(entries, TIME))).toBe(true);
});

test("owners other than root are kept", () => {
    const archive = tarArchive([{ path: "home", type: "directory", mode: 0o755, uid: 100, gid: 101 }], TIME);
    const listed = execFileSync("tar", ["--numeric-owner", "-tvf", "-"], { input: archive, encoding: "utf8" });
    expect(listed).toMatch(/^drwxr-xr-x 100\/101 .* home\/$/m);
});

test("a file capability is the attribute that setcap cap_net_bind_service=+ep sets", () => {
    expect(fileCapability("cap_net_bind_service").toString("hex")).toBe("0100000200040000000000000000000000000000");
    const attributes = { "security.capability": fileCapability("cap_net_bind_service") };
    const archive = tarArchive([{ path: "dns", type: "file", mode: 0o755, attributes }], TIME);
    writeFileSync(join(directory, "layer.tar"), archive);
    const listed = execFileSync("tar", ["--xattrs", "--xattrs-include=*", "-tvvf", join(directory, "layer.tar")], {
        encoding: "utf8",
    });
    expect(listed).toContain("20 security.capability");
});
