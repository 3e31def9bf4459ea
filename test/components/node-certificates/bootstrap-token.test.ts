import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { STEP_LIBRARY } from "../../../components/steps/script";
import { bash, type BashResult, shellcheck, temporaryDirectory, testWith } from "../../support/bash";

const PROGRAMS = join(__dirname, "../../../components/node-certificates");
const directory = temporaryDirectory();
const path = (name: string): string => join(directory.path, name);

/** Runs statements of a control plane's step; `curl` writes down what it was asked for, and answers as these statements say. */
function run(statements: readonly string[], answers = ""): BashResult {
    rmSync(path("asked"), { force: true });
    const curl = `#!/bin/bash\n{ echo "$*"; case "$*" in *@-*) cat ;; esac; } >>${path("asked")}\n${answers}\n`;
    writeFileSync(path("curl"), curl);
    chmodSync(path("curl"), 0o755);
    const script = [`PATH=${directory.path}:$PATH`, "set -euo pipefail", STEP_LIBRARY, ...statements]
        .join("\n")
        .replaceAll("/var/lib/kubelab", path("state"));
    return bash(script);
}

const asked = (): string => (existsSync(path("asked")) ? readFileSync(path("asked"), "utf8") : "");
const token = (): string => readFileSync(path("state/tokens/worker-1"), "utf8").trim();

beforeEach(() => {
    rmSync(path("state"), { recursive: true, force: true });
});
afterAll(directory.remove);

testWith("shellcheck")("passes shellcheck", () => {
    const joining = readFileSync(join(PROGRAMS, "join.sh"), "utf8");
    expect(shellcheck({ join: joining })).toBe("");
});

describe("a token", () => {
    test("has the form that the API server reads, is another one each time, and is for root alone", () => {
        const texts = Array.from({ length: 5 }, () => run(["mint worker-1"]).stdout.trim());
        expect(texts.filter((text) => !/^[a-z0-9]{6}\.[a-z0-9]{16}$/.test(text))).toEqual([]);
        expect(new Set(texts).size).toBe(5);
        expect(token()).toBe(texts.at(-1));
        expect(statSync(path("state/tokens/worker-1")).mode & 0o777).toBe(0o600);
        expect(statSync(path("state/tokens")).mode & 0o777).toBe(0o700);
    });

    test("is for its node, for a quarter of an hour, and on no command line", () => {
        run(["mint worker-1"]);
        const [id = "", secret = ""] = token().split(".");
        expect(run(["offer_token worker-1"]).status).toBe(0);
        const [again = "", command = "", body = ""] = asked().split("\n");
        expect(command).not.toContain(secret);
        const { metadata, type, stringData } = JSON.parse(body) as {
            readonly metadata: object;
            readonly type: string;
            readonly stringData: Readonly<Record<string, string>>;
        };
        expect({ metadata, type }).toEqual({
            metadata: { namespace: "kube-system", name: `bootstrap-token-${id}` },
            type: "bootstrap.kubernetes.io/token",
        });
        expect(stringData).toMatchObject({
            "token-id": id,
            "token-secret": secret,
            "usage-bootstrap-authentication": "true",
            "auth-extra-groups": "system:bootstrappers:kubelab,system:bootstrappers:kubelab:worker-1",
        });
        const seconds = (Date.parse(stringData["expiration"] ?? "") - Date.now()) / 1000;
        expect(seconds).toBeGreaterThan(800);
        expect(seconds).toBeLessThanOrEqual(900);
        // An `up` that offers it again lets it be used again.
        expect(again).toMatch(new RegExp(`-X DELETE .*/leases/bootstrap-token-${id}$`));
    });

    test("isn't offered where none was made", () => {
        expect(run(["offer_token worker-1", "withdraw_token worker-1"])).toMatchObject({ status: 0, stderr: "" });
        expect(asked()).toBe("");
    });

    test("that the API server doesn't take fails the step", () => {
        run(["mint worker-1"]);
        const { status, stderr } = run(["patience=1", "offer_token worker-1"], "exit 22");
        expect(status).not.toBe(0);
        expect(stderr).toContain("the API server doesn't take the bootstrap token of worker-1");
    });

    test("is deleted once it was used, and ends by itself where it wasn't", () => {
        run(["mint worker-1"]);
        const [id = ""] = token().split(".");
        run(["withdraw_token worker-1"]);
        const requests = [...asked().matchAll(/-X (\S+) .*\/(\w+)\/(\S+)/g)].map(([, ...words]) => words.join(" "));
        expect(requests).toEqual([
            `GET leases bootstrap-token-${id}`,
            `DELETE secrets bootstrap-token-${id}`,
            `DELETE leases bootstrap-token-${id}`,
        ]);
        expect(existsSync(path("state/tokens/worker-1"))).toBe(false);
        run(["mint worker-1"]);
        run(["withdraw_token worker-1"], "exit 22");
        expect(asked()).not.toContain("DELETE");
        expect(existsSync(path("state/tokens/worker-1"))).toBe(false);
    });
});

describe("a kubelet", () => {
    const pki = path("pki");
    const own = path("kubelet");
    const start = (openssl: string, answers: string): BashResult => {
        rmSync(path("asked"), { force: true });
        writeFileSync(path("openssl"), `#!/bin/bash\n${openssl}\n`);
        // The token isn't taken the first time.
        writeFileSync(path("curl"), `#!/bin/bash\necho "$*" >>${path("asked")}\ncat >${path("header")}\n${answers}\n`);
        ["openssl", "curl"].forEach((name) => chmodSync(path(name), 0o755));
        const text = readFileSync(join(PROGRAMS, "join.sh"), "utf8").replace(/\(: <"[^"]*"\)/, ":");
        return bash(`PATH=${directory.path}:$PATH DIRECTORY=${own} PKI=${pki}\nset -- wait api:6443\n${text}`);
    };

    beforeEach(() => {
        [pki, own].forEach((each) => rmSync(each, { recursive: true, force: true }));
        [pki, own].forEach((each) => mkdirSync(each));
        writeFileSync(join(own, "bootstrap-token"), "abcdef.0123456789abcdef\n");
        writeFileSync(join(own, "new-keys"), "\n");
        writeFileSync(join(pki, "kubelet-client-current.pem"), "a certificate");
    });

    test("that has a certificate starts at once", () => {
        expect(start("exit 0", "exit 1")).toMatchObject({ status: 0, stderr: "" });
        expect(asked()).toBe("");
        expect(existsSync(join(pki, "kubelet-client-current.pem"))).toBe(true);
    });

    test("that has none, or one that has expired, waits until its token is taken, which is on no command line", () => {
        const answers = `[ "$(wc -l <${path("asked")})" -lt 2 ] && echo 401 >&2 || echo 200 >&2`;
        expect(start("exit 1", answers)).toMatchObject({ status: 0, stderr: "" });
        expect(asked().trim().split("\n")).toHaveLength(2);
        expect(asked()).not.toContain("0123456789abcdef");
        expect(readFileSync(path("header"), "utf8")).toBe('header = "Authorization: Bearer abcdef.0123456789abcdef"\n');
    });

    test("that is to make new keys loses the former ones, once", () => {
        writeFileSync(join(own, "new-keys"), "stolen\n");
        const openssl = 'shift 5; [ -s "$1" ]';
        expect(start(openssl, "echo 200 >&2").status).toBe(0);
        expect(existsSync(join(pki, "kubelet-client-current.pem"))).toBe(false);
        writeFileSync(join(pki, "kubelet-client-current.pem"), "another");
        expect(start(openssl, "exit 1").status).toBe(0);
        expect(existsSync(join(pki, "kubelet-client-current.pem"))).toBe(true);
    });
});
