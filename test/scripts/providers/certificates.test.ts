import { execFileSync } from "node:child_process";
import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tls } from "../../../scripts/providers/tls";
import type { Properties } from "../../../scripts/providers/value";
import { Made, subjectOf } from "./made";

let directory: string;
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), "certificates-"))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const run = (command: string, ...args: readonly string[]): string =>
    execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

const P256 = { algorithm: "ECDSA", ecdsaCurve: "P256" } as const;

const make = (type: string, inputs: Properties): Promise<Made> => Made.create(tls, subjectOf(type), inputs);
const keyPair = (inputs: Properties = P256): Promise<Made> => make("tls:index/privateKey:PrivateKey", inputs);

/** An authority, and a certificate that it has signed. */
interface Chain {
    readonly authority: Made;
    readonly key: Made;
    readonly request: Made;
    readonly leaf: Made;
}

async function chain(kind: Properties = P256, { hours = 8760, early = 720 } = {}): Promise<Chain> {
    const authorityKey = await keyPair(kind);
    const authority = await make("tls:index/selfSignedCert:SelfSignedCert", {
        privateKeyPem: authorityKey.text("privateKeyPem"),
        isCaCertificate: true,
        setSubjectKeyId: true,
        subject: { commonName: "kubernetes" },
        allowedUses: ["cert_signing", "crl_signing", "digital_signature"],
        validityPeriodHours: 87600,
    });
    const key = await keyPair(kind);
    const request = await make("tls:index/certRequest:CertRequest", {
        privateKeyPem: key.text("privateKeyPem"),
        subject: { commonName: "system:node:cp-1", organization: "system:nodes" },
        dnsNames: ["api.lab", "kubernetes.default.svc"],
        ipAddresses: ["10.32.0.1", "fd00::1"],
    });
    const leaf = await make("tls:index/locallySignedCert:LocallySignedCert", {
        certRequestPem: request.text("certRequestPem"),
        caPrivateKeyPem: authorityKey.text("privateKeyPem"),
        caCertPem: authority.text("certPem"),
        allowedUses: ["digital_signature", "server_auth", "client_auth"],
        validityPeriodHours: hours,
        earlyRenewalHours: early,
    });
    return { authority, key, request, leaf };
}

function file(name: string, content: string): string {
    const path = join(directory, name);
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
        const { authority, leaf, request } = await chain(key);
        const files = {
            ca: file("ca.pem", authority.text("certPem")),
            leaf: file("leaf.pem", leaf.text("certPem")),
            csr: file("leaf.csr", request.text("certRequestPem")),
        };
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
    const made = await chain();
    const [ca, leaf] = [made.authority.text("certPem"), made.leaf.text("certPem")];
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
    expect(certificate.checkPrivateKey(createPrivateKey(made.key.text("privateKeyPem")))).toBe(true);
});

test("keys come in every format, and ssh-keygen reads the OpenSSH ones", async () => {
    for (const inputs of [P256, { algorithm: "ED25519" }, { algorithm: "RSA", rsaBits: 2048 }]) {
        const key = await keyPair(inputs);
        const path = file(inputs.algorithm, key.text("privateKeyOpenssh"));
        const [type, body] = key.text("publicKeyOpenssh").split(" ");
        expect(run("ssh-keygen", "-y", "-f", path).split(" ").slice(0, 2).join(" ").trim()).toBe(
            `${type} ${body}`.trim(),
        );
        expect(run("ssh-keygen", "-l", "-f", path)).toContain(key.text("publicKeyFingerprintSha256"));
        const derived = createPublicKey(key.text("privateKeyPem")).export({ type: "spki", format: "pem" });
        expect(derived).toBe(key.text("publicKeyPem"));
        expect(createPublicKey(key.text("privateKeyPemPkcs8")).export({ type: "spki", format: "pem" })).toBe(derived);
    }
});

test("a certificate inside its early renewal is replaced, and no key or request is", async () => {
    const { authority, key, request, leaf } = await chain(P256, { hours: 100, early: 99 });
    const all = [authority, key, request, leaf];
    expect(all.flatMap((made) => made.diff().changed)).toEqual([]);
    const clock = jest.spyOn(Date, "now").mockReturnValue(Date.now() + 2 * 3600 * 1000);
    try {
        expect(all.map((made) => made.diff().replace)).toEqual([[], [], [], ["readyForRenewal"]]);
        const renewed = await make(leaf.subject.type, leaf.existing.inputs);
        expect(Date.parse(renewed.text("validityEndTime"))).toBeGreaterThan(Date.parse(leaf.text("validityEndTime")));
        expect(renewed.diff().changed).toEqual([]);
    } finally {
        clock.mockRestore();
    }
});

test("a changed renewal period is an update that keeps the certificate; anything else replaces", async () => {
    const { request, leaf } = await chain();
    expect(leaf.diff({ earlyRenewalHours: 24 })).toMatchObject({ changed: ["earlyRenewalHours"], replace: [] });
    const updated = await leaf.update({ earlyRenewalHours: 24 });
    expect(updated.existing.outputs).toEqual({ ...leaf.existing.outputs, earlyRenewalHours: 24 });
    expect(updated.diff().changed).toEqual([]);
    expect(request.diff({ dnsNames: ["api.other"] }).replace).toEqual(["dnsNames"]);
    expect(leaf.diff({ certRequestPem: "another" }).replace).toEqual(["certRequestPem"]);
});

test("whatever has a private key in it is named as a secret", async () => {
    const { authority, key, request, leaf } = await chain();
    for (const { subject, existing } of [authority, key, request, leaf]) {
        const secrets = tls.secretOutputs?.(subject.type) ?? [];
        const open = Object.entries(existing.outputs).filter(([name]) => !secrets.includes(name));
        expect(JSON.stringify(open)).not.toMatch(/PRIVATE KEY/);
    }
});
