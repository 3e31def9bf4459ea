import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { machineResolvConf } from "../../../scripts/machines/resolv-conf";

const GATEWAY = "10.240.0.1";
const RESOLVED = "run/systemd/resolve/resolv.conf";

describe("the name servers of a machine", () => {
    let root: string;
    beforeEach(() => {
        root = mkdtempSync(join(tmpdir(), "resolv-conf-"));
    });
    afterEach(() => rmSync(root, { recursive: true }));

    /** The resolv.conf of a machine on a workstation with these files. */
    function on(files: Readonly<Record<string, string>>): string {
        for (const [path, content] of Object.entries(files)) {
            mkdirSync(join(root, dirname(path)), { recursive: true });
            writeFileSync(join(root, path), content);
        }
        return machineResolvConf(GATEWAY, root);
    }

    it("are the workstation's, but for those on loopback and those that need IPv6", () => {
        const text =
            "search example.org\nnameserver 127.0.0.53\nnameserver ::1\nnameserver fe80::1\nnameserver 192.0.2.53\n";
        expect(on({ "etc/resolv.conf": text })).toBe("search example.org\nnameserver 192.0.2.53\n");
    });

    it("are the workstation's own ones rather than those of a resolver that it doesn't ask", () => {
        const files = { "etc/resolv.conf": "nameserver 192.0.2.1\n", [RESOLVED]: "nameserver 192.0.2.2\n" };
        expect(on(files)).toBe("nameserver 192.0.2.1\n");
    });

    it.each([RESOLVED, "run/NetworkManager/no-stub-resolv.conf", "run/dnsmasq/resolv.conf"])(
        "are those behind the stub where it alone is named: %s",
        (path) => {
            const files = {
                "etc/resolv.conf": "nameserver 127.0.0.53\n",
                [path]: "nameserver 192.0.2.2\nsearch lan\n",
            };
            expect(on(files)).toBe("nameserver 192.0.2.2\nsearch lan\n");
        },
    );

    it("are those that dnsmasq's settings name for all domains", () => {
        const settings = "# x\nserver=192.0.2.7\nserver=/lan/192.0.2.8\nserver=192.0.2.9#5353\nserver=127.0.0.1\n";
        const files = { "etc/resolv.conf": "search lan\nnameserver 127.0.0.1\n", "etc/dnsmasq.d/up.conf": settings };
        expect(on(files)).toBe("search lan\nnameserver 192.0.2.7\n");
    });

    it.each([
        ["only a loopback address", { "etc/resolv.conf": "search lan\nnameserver 127.0.0.1\n" }, "search lan\n"],
        ["nothing", { "etc/resolv.conf": "" }, ""],
        ["nothing, and has no such file", {}, ""],
    ])(
        "are the workstation where that names %s, so that a resolver starts and says what fails",
        (_what, files, kept) => {
            const text = on(files);
            expect(text.replace(/^#.*\n/m, "")).toBe(`${kept}nameserver ${GATEWAY}\n`);
        },
    );
});
