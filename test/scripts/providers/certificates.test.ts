import { execFileSync } from "node:child_process";
import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import { Sample } from "./support";

let sample: Sample;
beforeEach(() => (sample = new Sample()));
afterEach(() => sample.remove());

const run = (command: string, ...args: readonly string[]): string =>
    execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

const P256 = { algorithm: "ECDSA", ecdsaCurve: "P256" } as const;

interface Options {
    readonly key?: tls.PrivateKeyArgs;
    readonly hours?: number;
    readonly early?: number;
    readonly dnsName?: string;
}

function authority(key: tls.PrivateKeyArgs = P256): {
    readonly key: tls.PrivateKey;
    readonly cert: tls.SelfSignedCert;
} {
    const pair = new tls.PrivateKey("ca-key", key);
    const cert = new tls.SelfSignedCert("ca", {
        privateKeyPem: pair.privateKeyPem,
        isCaCertificate: true,
        setSubjectKeyId: true,
        subject: { commonName: "kubernetes" },
        allowedUses: ["cert_signing", "crl_signing", "digital_signature"],
        validityPeriodHours: 87600,
    });
    return { key: pair, cert };
}

function program({ key = P256, hours = 8760, early = 720, dnsName = "api.lab" }: Options = {}): object {
    const ca = authority(key);
    const pair = new tls.PrivateKey("leaf-key", key);
    const request = new tls.CertRequest("leaf-request", {
        privateKeyPem: pair.privateKeyPem,
        subject: { commonName: "system:node:cp-1", organization: "system:nodes" },
        dnsNames: [dnsName, "kubernetes.default.svc"],
        ipAddresses: ["10.32.0.1", "fd00::1"],
    });
    const leaf = new tls.LocallySignedCert("leaf", {
        certRequestPem: request.certRequestPem,
        caPrivateKeyPem: ca.key.privateKeyPem,
        caCertPem: ca.cert.certPem,
        allowedUses: ["digital_signature", "server_auth", "client_auth"],
        validityPeriodHours: hours,
        earlyRenewalHours: early,
    });
    return {
        ca: ca.cert.certPem,
        leaf: leaf.certPem,
        end: leaf.validityEndTime,
        request: request.certRequestPem,
        key: pair.privateKeyPem,
    };
}

async function outputsOf(build: () => object): Promise<Record<string, string>> {
    const engine = sample.engine(build);
    await engine.up();
    return (await engine.outputs({ showSecrets: true })) as Record<string, string>;
}

function file(name: string, content: string): string {
    const path = join(sample.directory, name);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
}

test.each([
    ["ECDSA P256", P256],
    ["ECDSA P384", { algorithm: "ECDSA", ecdsaCurve: "P384" }],
    ["RSA 2048", { algorithm: "RSA", rsaBits: 2048 }],
    ["Ed25519", { algorithm: "ED25519" }],
])(
    "openssl verifies a certificate of an authority with %s keys, for each of its uses and names",
    async (_name, key) => {
        const { ca = "", leaf = "", request = "" } = await outputsOf(() => program({ key }));
        const files = { ca: file("ca.pem", ca), leaf: file("leaf.pem", leaf), csr: file("leaf.csr", request) };
        for (const purpose of ["sslserver", "sslclient"]) {
            expect(
                run("openssl", "verify", "-x509_strict", "-purpose", purpose, "-CAfile", files.ca, files.leaf),
            ).toMatch(/OK/);
        }
        for (const [flag, name] of [
            ["-verify_hostname", "kubernetes.default.svc"],
            ["-verify_ip", "10.32.0.1"],
            ["-verify_ip", "fd00::1"],
        ] as const) {
            expect(run("openssl", "verify", flag, name, "-CAfile", files.ca, files.leaf)).toMatch(/OK/);
        }
        expect(() => run("openssl", "verify", "-verify_ip", "10.32.0.2", "-CAfile", files.ca, files.leaf)).toThrow();
        expect(run("openssl", "req", "-in", files.csr, "-verify", "-noout", "-subject")).toContain("system:nodes");
    },
);

test("extensions are those of the tls provider: critical constraints, key usages, names, key identifiers", async () => {
    const { ca = "", leaf = "", key = "" } = await outputsOf(program);
    const text = (pem: string): string => run("openssl", "x509", "-noout", "-text", "-in", file("x.pem", pem));
    expect(text(ca)).toMatch(/Basic Constraints: critical\s+CA:TRUE\n/);
    expect(text(ca)).toMatch(/Key Usage: critical\s+Digital Signature, Certificate Sign, CRL Sign\n/);
    expect(text(leaf)).toMatch(/Basic Constraints: critical\s+CA:FALSE\n/);
    expect(text(leaf)).toMatch(/Key Usage: critical\s+Digital Signature\n/);
    expect(text(leaf)).toMatch(
        /Extended Key Usage: \n\s+TLS Web Server Authentication, TLS Web Client Authentication\n/,
    );
    expect(text(leaf)).toMatch(/Subject: O ?= ?system:nodes, CN ?= ?system:node:cp-1\n/);
    const authorityKey = /Subject Key Identifier: \n\s+([0-9A-F:]+)/.exec(text(ca))?.[1];
    expect(/Authority Key Identifier: \n\s+(?:keyid:)?([0-9A-F:]+)/.exec(text(leaf))?.[1]).toBe(authorityKey);
    const certificate = new X509Certificate(leaf);
    expect(certificate.subjectAltName).toBe(
        "DNS:api.lab, DNS:kubernetes.default.svc, IP Address:10.32.0.1, IP Address:FD00:0:0:0:0:0:0:1",
    );
    expect(certificate.checkPrivateKey(createPrivateKey(key))).toBe(true);
});

test("keys come in every format, and ssh-keygen reads the OpenSSH ones", async () => {
    const outputs = await outputsOf(() =>
        Object.fromEntries(
            [P256, { algorithm: "ED25519" }, { algorithm: "RSA", rsaBits: 2048 }].map((args) => {
                const key = new tls.PrivateKey(args.algorithm, args);
                const { privateKeyOpenssh, publicKeyOpenssh, privateKeyPem, privateKeyPemPkcs8, publicKeyPem } = key;
                const fingerprint = key.publicKeyFingerprintSha256;
                return [
                    args.algorithm,
                    pulumi.jsonStringify({
                        privateKeyOpenssh,
                        publicKeyOpenssh,
                        privateKeyPem,
                        privateKeyPemPkcs8,
                        publicKeyPem,
                        fingerprint,
                    }),
                ];
            }),
        ),
    );
    for (const [algorithm, json] of Object.entries(outputs)) {
        const key = JSON.parse(json) as Record<string, string>;
        const path = file(algorithm, key["privateKeyOpenssh"] ?? "");
        const [type, body] = (key["publicKeyOpenssh"] ?? "").split(" ");
        expect(run("ssh-keygen", "-y", "-f", path).split(" ").slice(0, 2).join(" ").trim()).toBe(
            `${type} ${body}`.trim(),
        );
        expect(run("ssh-keygen", "-l", "-f", path)).toContain(key["fingerprint"]);
        const derived = createPublicKey(key["privateKeyPem"] ?? "").export({ type: "spki", format: "pem" });
        expect(derived).toBe(key["publicKeyPem"]);
        expect(createPublicKey(key["privateKeyPemPkcs8"] ?? "").export({ type: "spki", format: "pem" })).toBe(derived);
    }
});

test("a certificate inside its early renewal is replaced by an up, with what it signs, and no key is", async () => {
    const first = await outputsOf(() => program({ hours: 100, early: 99 }));
    const engine = sample.engine(() => program({ hours: 100, early: 99 }));
    expect(await engine.up()).toMatchObject({ replaced: 0, updated: 0 });
    const hoursLater = Date.now() + 2 * 3600 * 1000;
    const clock = jest.spyOn(Date, "now").mockReturnValue(hoursLater);
    try {
        expect(await engine.up()).toMatchObject({ replaced: 1, updated: 0, created: 0 });
    } finally {
        clock.mockRestore();
    }
    const second = (await engine.outputs({ showSecrets: true })) as Record<string, string>;
    expect(Date.parse(second["end"] ?? "")).toBeGreaterThan(Date.parse(first["end"] ?? ""));
    expect(second["key"]).toBe(first["key"]);
});

test("a changed renewal period is an update that keeps the certificate; a changed name replaces request and certificate", async () => {
    const { leaf } = await outputsOf(() => program());
    expect(await sample.engine(() => program({ early: 24 })).up()).toMatchObject({ updated: 1, replaced: 0 });
    expect((await sample.engine(program).outputs({ showSecrets: true }))["leaf"]).toBe(leaf);
    const renamed = sample.engine(() => program({ early: 24, dnsName: "api.other" }));
    expect(await renamed.up()).toMatchObject({ updated: 0, replaced: 2, same: 4 });
    expect(
        new X509Certificate(String((await renamed.outputs({ showSecrets: true }))["leaf"])).subjectAltName,
    ).toContain("api.other");
});

test("no private key is in the state in the clear", async () => {
    await outputsOf(program);
    expect(readFileSync(sample.stateFile, "utf8")).not.toMatch(/PRIVATE KEY/);
});
