import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isRequestFor } from "../../../components/pki/request-der";
import { verifyRequest } from "../../../components/pki/verify-request";
import { STEP_LIBRARY } from "../../../components/steps/script";
import { bash, type BashResult, temporaryDirectory, testWith } from "../../support/bash";
import { clusterGraph, script } from "../../support/graph";
import { makeRequest, settingsIn } from "../../support/machine-requests";
import { testSpec } from "../../support/spec";

jest.setTimeout(60_000);

const directory = temporaryDirectory();
const keys = join(directory.path, "state/keys");
const library = STEP_LIBRARY.replaceAll("/run/kubelab", join(directory.path, "run")).replaceAll(
    "/var/lib/kubelab",
    join(directory.path, "state"),
);
let asked: Readonly<Record<string, string>>;

beforeAll(async () => {
    asked = settingsIn(
        script(await clusterGraph(testSpec({ workers: 1, nodeCertificates: "issued" })), "worker-1-keys"),
    );
});
beforeEach(() => rmSync(keys, { recursive: true, force: true }));
afterAll(directory.remove);

/** Runs what the step does for these requests. */
function make(settings: Readonly<Record<string, string>>): BashResult {
    const requests = Object.entries(settings).map(([name, text]) => `request ${name} <<'END'\n${text}END`);
    return bash(["set -euo pipefail", library, "once keys", "open_keys", ...requests, "close_keys"].join("\n"));
}

function made(settings = asked): Record<string, string> {
    const { status, stdout, stderr } = make(settings);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const found = stdout.matchAll(/^(\S+)\n(-----BEGIN[^-]*-----\n[^-]+-----END[^-]*-----\n)/gm);
    return Object.fromEntries([...found].map(([, name = "", pem = ""]) => [name, pem]));
}

const key = (name: string): string => readFileSync(join(keys, `${name}.key`), "utf8");

describe("on a machine", () => {
    testWith("openssl")("keys are made, and the requests for them are what is expected of the machine", () => {
        const requests = made();
        const commonName = "system:node:worker-1";
        const names = { dnsNames: ["worker-1"], ipAddresses: ["10.240.0.21"] };
        expect(Object.keys(requests)).toEqual(["kubelet", "kubelet-server", "kube-proxy"]);
        expect([
            isRequestFor(requests["kubelet"] ?? "", { commonName, organization: "system:nodes" }),
            isRequestFor(requests["kubelet-server"] ?? "", { commonName, ...names }),
            isRequestFor(requests["kube-proxy"] ?? "", {
                commonName: "system:kube-proxy:worker-1",
                organization: "kubelab:kube-proxies",
            }),
            isRequestFor(requests["kube-proxy"] ?? "", { commonName }),
        ]).toEqual([true, true, true, false]);
        const text = execFileSync("openssl", ["req", "-noout", "-text"], {
            input: requests["kubelet-server"] ?? "",
            encoding: "utf8",
        });
        expect(text).toMatch(/CN ?= ?system:node:worker-1/);
        expect(text).toContain("prime256v1");
        expect(text).toContain("DNS:worker-1, IP Address:10.240.0.21");
    });

    testWith("openssl")("keys are for nobody else, and are never printed", () => {
        const { stdout } = make(asked);
        expect(stdout).not.toContain("PRIVATE");
        const modes = readdirSync(keys).map((name) => (statSync(join(keys, name)).mode & 0o777).toString(8));
        expect(new Set(modes)).toEqual(new Set(["600"]));
        expect((statSync(keys).mode & 0o777).toString(8)).toBe("700");
        expect(key("kubelet")).toMatch(/^-----BEGIN PRIVATE KEY-----/);
    });

    testWith("openssl")("the same keys and requests are there a second time", () => {
        const first = made();
        const file = statSync(join(keys, "kubelet.key"));
        expect(made()).toEqual(first);
        expect(statSync(join(keys, "kubelet.key")).mtimeMs).toBe(file.mtimeMs);
    });

    testWith("openssl")("another name makes another request of the same key, and leaves the others alone", () => {
        const first = made();
        const before = key("kubelet-server");
        const again = made({
            ...asked,
            "kubelet-server": (asked["kubelet-server"] ?? "").replace("DNS:worker-1", "DNS:worker-1,DNS:other"),
        });
        expect(key("kubelet-server")).toBe(before);
        expect(Object.keys(again).filter((name) => again[name] !== first[name])).toEqual(["kubelet-server"]);
    });

    testWith("openssl")("new keys are made when the text says so, once, and not when it is taken away", () => {
        const anew = Object.fromEntries(
            Object.entries(asked).map(([name, text]) => [name, text.replace("# keys: ", "# keys: now")]),
        );
        made();
        const first = key("kubelet");
        made(anew);
        const second = key("kubelet");
        expect(second).not.toBe(first);
        made(anew);
        made();
        expect(key("kubelet")).toBe(second);
    });

    testWith("openssl")("a key that isn't asked for any more goes", () => {
        made();
        const { kubelet = "" } = asked;
        made({ kubelet });
        expect(readdirSync(keys).sort()).toEqual(["kubelet.csr", "kubelet.key", "kubelet.settings"]);
    });

    testWith("openssl")("what was cut off is made anew", () => {
        made();
        writeFileSync(join(keys, "kubelet.settings"), "");
        writeFileSync(join(keys, "kubelet.key"), "-----BEGIN");
        expect(made()["kubelet"]).toMatch(/^-----BEGIN CERTIFICATE REQUEST/);
        expect(key("kubelet")).toMatch(/^-----BEGIN PRIVATE KEY-----\n[^-]+-----END PRIVATE KEY-----\n$/);
    });

    testWith("openssl")("a key that can't be read is told by its name", () => {
        made();
        writeFileSync(join(keys, "kubelet.key"), "no key\n");
        const { status, stderr } = make({ kubelet: `${asked["kubelet"]}# more\n` });
        expect(status).toBe(1);
        expect(stderr).toMatch(/openssl can't make the key of kubelet: /);
    });
});

describe("a process's copy", () => {
    const copy = (statements: string): BashResult =>
        bash(
            `set -euo pipefail\n${library}\n${statements}\nplan_copy ${target} 0400 "$(id -un):$(id -gn)" ${source}\nwrite_planned`,
        );
    const source = join(directory.path, "source.key");
    const target = join(directory.path, "copies/target.key");

    test("is made of the machine's own key, stays where that is gone, and isn't made up where both are", () => {
        writeFileSync(source, "first\n");
        expect(copy("").status).toBe(0);
        expect(readFileSync(target, "utf8")).toBe("first\n");
        expect((statSync(target).mode & 0o777).toString(8)).toBe("400");
        rmSync(source);
        expect(copy("").status).toBe(0);
        expect(readFileSync(target, "utf8")).toBe("first\n");
        rmSync(target);
        const { status, stderr } = copy("");
        expect(status).toBe(1);
        expect(stderr).toContain(`${source} is gone, and so is ${target}: have new keys made`);
        expect(existsSync(target)).toBe(false);
    });
});

describe("a request from a machine", () => {
    const expected = { commonName: "system:node:worker-1", organization: "system:nodes" };
    const serving = { commonName: "system:node:worker-1", dnsNames: ["worker-1"], ipAddresses: ["10.0.0.1"] };
    const request = (subject: readonly string[], names = ""): Promise<string> =>
        makeRequest([...subject, ...(names === "" ? [] : [`subjectAltName = ${names}`]), ""].join("\n"));
    const NODE = ["O = system:nodes", "CN = system:node:worker-1"];

    test("that is as it is to be is signed", async () => {
        await expect(verifyRequest("worker-1, kubelet", await request(NODE), expected)).resolves.toBeUndefined();
        const server = await request(["CN = system:node:worker-1"], "DNS:worker-1,IP:10.0.0.1");
        await expect(verifyRequest("worker-1, kubelet-server", server, serving)).resolves.toBeUndefined();
    });

    test.each([
        [
            ["O = system:masters", "CN = system:node:worker-1"],
            "",
            expected,
            "for O=system:masters, CN=system:node:worker-1 and not for O=system:nodes, CN=system:node:worker-1",
        ],
        [
            ["O = system:nodes", "CN = system:node:cp-1"],
            "",
            expected,
            "for O=system:nodes, CN=system:node:cp-1 and not for",
        ],
        [["CN = system:node:worker-1"], "", expected, "for CN=system:node:worker-1 and not for"],
        [NODE, "DNS:cp-1", expected, "for dns:cp-1 and not for no names"],
        [
            ["CN = system:node:worker-1"],
            "DNS:worker-1,DNS:api.lab,IP:10.0.0.1",
            serving,
            "for dns:worker-1 dns:api.lab ip:10.0.0.1 and not for dns:worker-1 ip:10.0.0.1",
        ],
        [
            ["CN = system:node:worker-1"],
            "DNS:worker-1,IP:10.0.0.2",
            serving,
            "for dns:worker-1 ip:10.0.0.2 and not for",
        ],
        [["CN = system:node:worker-1"], "", serving, "for no names and not for dns:worker-1 ip:10.0.0.1"],
    ])("for %j %s is refused", async (subject, names, wanted, why) => {
        await expect(verifyRequest("worker-1, kubelet", await request(subject, names), wanted)).rejects.toThrow(
            `worker-1, kubelet: the certificate request is ${why}`,
        );
    });

    test("that isn't there, is none, or isn't signed by its own key is refused", async () => {
        const verify = (pem: string | undefined): Promise<void> => verifyRequest("worker-1, kubelet", pem, expected);
        await expect(verify(undefined)).rejects.toThrow(
            "the machine sent no certificate request, so nothing is signed",
        );
        await expect(verify("nonsense")).rejects.toThrow("the certificate request can't be read");
        const good = Buffer.from((await request(NODE)).split("\n").slice(1, -1).join(""), "base64");
        good.writeUInt8(good.readUInt8(good.length - 1) ^ 1, good.length - 1);
        const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${good.toString("base64")}\n-----END CERTIFICATE REQUEST-----\n`;
        await expect(verify(pem)).rejects.toThrow("isn't signed by its own key");
    });
});
