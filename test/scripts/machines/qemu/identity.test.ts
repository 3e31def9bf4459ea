import { cpio } from "../../../../scripts/machines/qemu/cpio";
import { identityArchive } from "../../../../scripts/machines/qemu/identity";
import { RECORD } from "./record";

/** Members of an archive as the kernel reads them: `mode path`, and the text. */
function members(archive: Buffer): Map<string, string> {
    const found = new Map<string, string>();
    const aligned = (offset: number): number => Math.ceil(offset / 4) * 4;
    for (let offset = 0; offset < archive.length;) {
        const field = (index: number): number =>
            parseInt(archive.subarray(offset + 6 + index * 8, offset + 14 + index * 8).toString(), 16);
        expect(archive.subarray(offset, offset + 6).toString()).toBe("070701");
        const [mode, size, nameSize] = [field(1), field(6), field(11)];
        const name = archive.subarray(offset + 110, offset + 110 + nameSize - 1).toString();
        const data = aligned(offset + 110 + nameSize);
        found.set(`${mode.toString(8)} ${name}`, archive.subarray(data, data + size).toString());
        offset = aligned(data + size);
    }
    return found;
}

describe("a virtual machine's identity", () => {
    const found = members(identityArchive(RECORD));

    it("is in files that only root may read where they are secret", () => {
        expect(found.get("100600 machine/root/etc/ssh/ssh_host_ed25519_key")).toBe(`${RECORD.hostKey}\n`);
        expect(found.get("100600 machine/root/root/.ssh/authorized_keys")).toBe("ssh-ed25519 AAAA user\n");
        expect(found.has("40700 machine/root/root/.ssh")).toBe(true);
        expect(found.get("100444 machine/root/etc/machine-id")).toBe(`${RECORD.machineId}\n`);
    });

    it("has its addresses for the initrd", () => {
        expect(found.get("100644 machine/config")).toBe(
            "ADDRESSES='10.240.0.21/24 10.240.0.20/24'\nGATEWAY='10.240.0.1'\n",
        );
    });

    it("has each directory before what is in it", () => {
        const paths = [...found.keys()].map((key) => key.split(" ")[1] ?? "");
        const orphans = paths.filter((path, index) => {
            const above = path.split("/").slice(0, -1).join("/");
            return above !== "" && !paths.slice(0, index).includes(above);
        });
        expect(orphans).toEqual([]);
    });

    it("comes as archives that can follow one another: whole words, each with an end", () => {
        const archive = cpio([{ path: "a", data: "12345" }]);
        expect(archive.length % 4).toBe(0);
        expect([...members(Buffer.concat([archive, archive])).keys()]).toEqual(["100644 a", "0 TRAILER!!!"]);
    });
});
