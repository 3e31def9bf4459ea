import fc from "fast-check";
import { flag, type Process, renderUnit, withOverrides } from "../../../components/steps/process";

const ETCD_LIKE: Process = {
    name: "store",
    description: "A store",
    documentation: "https://example.org/store",
    user: "store",
    type: "notify",
    after: ["other"],
    stateDirectory: "store",
    flags: [flag("data-dir", "/var/lib/store"), flag("client-cert-auth", true, "clients prove who they are")],
    service: ["TasksMax=infinity"],
    health: "true",
    healthDeadline: 60,
};

function unit(changes: Partial<Process> = {}): string {
    return renderUnit({ ...ETCD_LIKE, ...changes }, "/usr/local/bin/store", "fingerprint of store: abc");
}

/** The words of ExecStart as systemd reads them; https://www.freedesktop.org/software/systemd/man/latest/systemd.syntax.html */
function commandLine(text: string): string[] {
    const lines = text.slice(text.indexOf("ExecStart=")).split("\n");
    const logical: string[] = [];
    for (const line of lines) {
        if (/^\s*[#;]/.test(line)) {
            continue;
        }
        logical.push(line.replace(/\\$/, " "));
        if (!line.endsWith("\\")) {
            break;
        }
    }
    const words =
        logical
            .join("")
            .replace("ExecStart=", "")
            .match(/"(?:[^"\\]|\\.)*"|[^\s"]\S*/g) ?? [];
    return words.map((word) => {
        const unquoted = word.startsWith('"') ? word.slice(1, -1).replace(/\\(.)/g, "$1") : word;
        // Anything else after these would be a specifier or a variable.
        return unquoted.replace(/([%$])(.?)/g, (_, sign: string, next: string) =>
            next === sign ? sign : "[expanded]",
        );
    });
}

describe("a unit", () => {
    test("is readable on its own, with the reason of a flag beside it", () => {
        expect(unit()).toMatchInlineSnapshot(`
            "[Unit]
            Description=A store
            Documentation=https://example.org/store
            After=network-online.target other.service
            Wants=network-online.target
            StartLimitIntervalSec=0

            [Service]
            Type=notify
            User=store
            Group=store
            StateDirectory=store
            StateDirectoryMode=0700
            # fingerprint of store: abc
            ExecStart=/usr/local/bin/store \\
                --data-dir=/var/lib/store \\
                # clients prove who they are
                --client-cert-auth=true
            Restart=always
            RestartSec=1
            TimeoutStartSec=infinity
            LimitNOFILE=1048576
            NoNewPrivileges=yes
            CapabilityBoundingSet=
            ProtectSystem=strict
            ProtectHome=yes
            PrivateTmp=yes
            PrivateDevices=yes
            ProtectKernelTunables=yes
            ProtectKernelModules=yes
            ProtectKernelLogs=yes
            ProtectControlGroups=yes
            RestrictSUIDSGID=yes
            RestrictRealtime=yes
            RestrictNamespaces=yes
            LockPersonality=yes
            MemoryDenyWriteExecute=yes
            SystemCallArchitectures=native
            UMask=0077
            TasksMax=infinity

            [Install]
            WantedBy=multi-user.target
            "
        `);
    });

    test("of a process that isn't root gives up what it doesn't need; one of root is not confined", () => {
        expect(unit()).toContain("\nUser=store\nGroup=store\n");
        expect(unit()).toContain("\nNoNewPrivileges=yes\nCapabilityBoundingSet=\nProtectSystem=strict\n");
        const ofRoot = unit({ user: "root" });
        expect(ofRoot).not.toMatch(/^(User|Group|CapabilityBoundingSet|ProtectSystem)=/m);
    });

    test("comes back whatever happens to it, for ever and at once", () => {
        expect(unit()).toMatch(/^StartLimitIntervalSec=0$/m);
        expect(unit()).toMatch(/^Restart=always\nRestartSec=1$/m);
        expect(unit()).toMatch(/^WantedBy=multi-user\.target$/m);
    });

    test("changes with the binary, so that an upgrade restarts it", () => {
        expect(renderUnit(ETCD_LIKE, "/usr/local/bin/store", "fingerprint of store: def")).not.toBe(unit());
    });

    test("without flags is a whole command line", () => {
        expect(commandLine(unit({ flags: [] }))).toEqual(["/usr/local/bin/store"]);
    });

    test("passes any value of a flag on unchanged", () => {
        const value = fc.string({ unit: "grapheme-ascii" }).filter((text) => !/[\u0000-\u001f\u007f]/.test(text));
        fc.assert(
            fc.property(fc.array(value, { minLength: 1, maxLength: 4 }), (values) => {
                const flags = values.map((each, index) =>
                    flag(`flag-${index}`, each, index % 2 === 0 ? "why" : undefined),
                );
                expect(commandLine(unit({ flags }))).toEqual([
                    "/usr/local/bin/store",
                    ...values.map((each, index) => `--flag-${index}=${each}`),
                ]);
            }),
        );
    });

    test("quotes a flag with blanks as a whole, as systemd documents it", () => {
        expect(unit({ flags: [flag("feature", 'a "b" \\ c'), flag("rate", "100%"), flag("home", "$HOME")] })).toContain(
            [
                String.raw`    "--feature=a \"b\" \\ c" ${"\\"}`,
                String.raw`    --rate=100%% ${"\\"}`,
                "    --home=$$HOME",
                "Restart=always",
            ].join("\n"),
        );
    });
});

describe("a user's own flags", () => {
    const flags = [flag("v", "2", "quiet"), flag("profiling", false)];

    test("take the place of ours, and say who set them", () => {
        expect(withOverrides(flags, { v: "4" })).toEqual([
            { name: "v", value: "4", why: "set by kubelab:flags" },
            { name: "profiling", value: "false" },
        ]);
    });

    test("that we don't set come last", () => {
        expect(withOverrides(flags, { "max-requests": "1" }).map(({ name }) => name)).toEqual([
            "v",
            "profiling",
            "max-requests",
        ]);
    });

    test("are added to those of ours that take several values, each key once", () => {
        const gates = [flag("feature-gates", "A=true,B=true", "new")];
        expect(withOverrides(gates, { "feature-gates": "B=false, C=true" }, ["feature-gates"])).toEqual([
            { name: "feature-gates", value: "A=true,B=false,C=true", why: "new; with those of kubelab:flags" },
        ]);
    });

    test("win every time, never leave one out and never give one twice", () => {
        const name = fc.stringMatching(/^[a-z][a-z-]{0,8}$/);
        const own = fc.uniqueArray(fc.record({ name, value: fc.string() }), { selector: (each) => each.name });
        fc.assert(
            fc.property(own, fc.dictionary(name, fc.string()), (known, overrides) => {
                const merged = withOverrides(known, overrides);
                const expected = { ...Object.fromEntries(known.map((each) => [each.name, each.value])), ...overrides };
                expect(merged).toHaveLength(Object.keys(expected).length);
                expect(Object.fromEntries(merged.map((each) => [each.name, each.value]))).toEqual({ ...expected });
                expect(merged.slice(0, known.length).map((each) => each.name)).toEqual(known.map((each) => each.name));
            }),
        );
    });
});
