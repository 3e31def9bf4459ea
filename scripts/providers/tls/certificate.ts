import { createHash, createPrivateKey, createPublicKey, randomBytes, webcrypto } from "node:crypto";
import "../../../components/pki/reflect-metadata";
import * as x509 from "@peculiar/x509";
import { textAt, type Properties } from "../value";

interface Subject {
    readonly commonName?: string;
    readonly country?: string;
    readonly emailAddress?: string;
    readonly locality?: string;
    readonly organization?: string;
    readonly organizationalUnit?: string;
    readonly postalCode?: string;
    readonly province?: string;
    readonly serialNumber?: string;
    readonly streetAddresses?: readonly string[];
}

interface NamesInputs {
    readonly subject?: Subject;
    readonly dnsNames?: readonly string[];
    readonly ipAddresses?: readonly string[];
    readonly uris?: readonly string[];
}

interface CertificateInputs {
    readonly allowedUses: readonly string[];
    readonly validityPeriodHours: number;
    readonly earlyRenewalHours?: number;
    readonly isCaCertificate?: boolean;
    readonly maxPathLength?: number;
    readonly setSubjectKeyId?: boolean;
    readonly setAuthorityKeyId?: boolean;
}

interface Created {
    readonly id: string;
    readonly outputs: Properties;
}

const HOUR = 3600 * 1000;
const SUBJECT_ALTERNATIVE_NAME = "2.5.29.17";

const KEY_USAGES: Readonly<Record<string, x509.KeyUsageFlags>> = {
    digital_signature: x509.KeyUsageFlags.digitalSignature,
    content_commitment: x509.KeyUsageFlags.nonRepudiation,
    key_encipherment: x509.KeyUsageFlags.keyEncipherment,
    data_encipherment: x509.KeyUsageFlags.dataEncipherment,
    key_agreement: x509.KeyUsageFlags.keyAgreement,
    cert_signing: x509.KeyUsageFlags.keyCertSign,
    crl_signing: x509.KeyUsageFlags.cRLSign,
    encipher_only: x509.KeyUsageFlags.encipherOnly,
    decipher_only: x509.KeyUsageFlags.decipherOnly,
};

/** https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.12 and vendors' own */
const EXTENDED_KEY_USAGES: Readonly<Record<string, string>> = {
    any_extended: "2.5.29.37.0",
    server_auth: "1.3.6.1.5.5.7.3.1",
    client_auth: "1.3.6.1.5.5.7.3.2",
    code_signing: "1.3.6.1.5.5.7.3.3",
    email_protection: "1.3.6.1.5.5.7.3.4",
    ipsec_end_system: "1.3.6.1.5.5.7.3.5",
    ipsec_tunnel: "1.3.6.1.5.5.7.3.6",
    ipsec_user: "1.3.6.1.5.5.7.3.7",
    timestamping: "1.3.6.1.5.5.7.3.8",
    ocsp_signing: "1.3.6.1.5.5.7.3.9",
    microsoft_server_gated_crypto: "1.3.6.1.4.1.311.10.3.3",
    netscape_server_gated_crypto: "2.16.840.1.113730.4.1",
    microsoft_commercial_code_signing: "1.3.6.1.4.1.311.2.1.22",
    microsoft_kernel_code_signing: "1.3.6.1.4.1.311.61.1.1",
};

/** `tls.CertRequest` */
export async function certificateRequest(inputs: Properties): Promise<Created> {
    const names = inputs as unknown as NamesInputs;
    const key = await importKey(textAt(inputs, "privateKeyPem"));
    const request = await x509.Pkcs10CertificateRequestGenerator.create(
        {
            name: distinguishedName(names.subject),
            keys: key.pair,
            signingAlgorithm: key.signing,
            extensions: alternativeNames(names),
        },
        webcrypto,
    );
    const pem = `${request.toString("pem")}\n`;
    const id = createHash("sha1").update(Buffer.from(request.rawData)).digest("hex");
    return { id, outputs: { ...inputs, keyAlgorithm: key.name, certRequestPem: pem } };
}

/** `tls.SelfSignedCert` */
export async function selfSignedCertificate(inputs: Properties): Promise<Created> {
    const names = inputs as unknown as NamesInputs;
    const key = await importKey(textAt(inputs, "privateKeyPem"));
    const subject = new x509.Name(distinguishedName(names.subject));
    const settings = inputs as unknown as CertificateInputs;
    const { setAuthorityKeyId = false } = settings;
    const authorityKey = setAuthorityKeyId ? await keyIdentifier(key.pair.publicKey) : undefined;
    const created = await issue(settings, {
        subject,
        issuer: subject,
        publicKey: key.pair.publicKey,
        signer: key,
        alternativeNames: alternativeNames(names),
        authorityKey,
    });
    return {
        id: created.id,
        outputs: { ...inputs, ...created.outputs, setAuthorityKeyId, keyAlgorithm: key.name },
    };
}

/** `tls.LocallySignedCert` */
export async function locallySignedCertificate(inputs: Properties): Promise<Created> {
    const request = new x509.Pkcs10CertificateRequest(textAt(inputs, "certRequestPem"));
    if (!(await request.verify(webcrypto))) {
        throw new Error("certRequestPem isn't signed by its own key");
    }
    const authority = new x509.X509Certificate(textAt(inputs, "caCertPem"));
    const signer = await importKey(textAt(inputs, "caPrivateKeyPem"));
    const authorityKey = authority.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId;
    const publicKey = (await request.publicKey.export(webcrypto)) as webcrypto.CryptoKey;
    const names = request.getExtension(SUBJECT_ALTERNATIVE_NAME);
    const created = await issue(inputs as unknown as CertificateInputs, {
        subject: request.subjectName,
        issuer: authority.subjectName,
        publicKey,
        signer,
        alternativeNames: names ? [names] : [],
        authorityKey,
    });
    return { id: created.id, outputs: { ...inputs, ...created.outputs, caKeyAlgorithm: signer.name } };
}

interface Issue {
    readonly subject: x509.Name;
    readonly issuer: x509.Name;
    readonly publicKey: webcrypto.CryptoKey;
    readonly signer: Key;
    readonly alternativeNames: readonly x509.Extension[];
    readonly authorityKey: string | undefined;
}

/** The extensions are those that Go's crypto/x509 writes for the tls provider. */
async function issue(settings: CertificateInputs, request: Issue): Promise<Created> {
    const { earlyRenewalHours = 0, isCaCertificate = false, maxPathLength, setSubjectKeyId = false } = settings;
    const notBefore = new Date(Math.floor(Date.now() / 1000) * 1000);
    const notAfter = new Date(notBefore.getTime() + settings.validityPeriodHours * HOUR);
    const serial = randomBytes(16);
    serial[0] = (serial[0] ?? 0) & 0x7f;
    const pathLength = isCaCertificate && maxPathLength !== undefined && maxPathLength >= 0 ? maxPathLength : undefined;
    const extensions = [
        ...usages(settings.allowedUses),
        new x509.BasicConstraintsExtension(isCaCertificate, pathLength, true),
        ...(isCaCertificate || setSubjectKeyId
            ? [new x509.SubjectKeyIdentifierExtension(await keyIdentifier(request.publicKey))]
            : []),
        ...(request.authorityKey === undefined ? [] : [new x509.AuthorityKeyIdentifierExtension(request.authorityKey)]),
        ...request.alternativeNames,
    ];
    const certificate = await x509.X509CertificateGenerator.create(
        {
            serialNumber: serial.toString("hex"),
            subject: request.subject.toJSON(),
            issuer: request.issuer.toJSON(),
            notBefore,
            notAfter,
            publicKey: request.publicKey,
            signingKey: request.signer.pair.privateKey,
            signingAlgorithm: request.signer.signing,
            extensions,
        },
        webcrypto,
    );
    return {
        id: BigInt(`0x${serial.toString("hex")}`).toString(),
        outputs: {
            certPem: `${certificate.toString("pem")}\n`,
            earlyRenewalHours,
            isCaCertificate,
            setSubjectKeyId,
            readyForRenewal: false,
            validityStartTime: rfc3339(notBefore),
            validityEndTime: rfc3339(notAfter),
        },
    };
}

function usages(allowed: readonly string[]): x509.Extension[] {
    const unknown = allowed.filter((use) => !(use in KEY_USAGES) && !(use in EXTENDED_KEY_USAGES));
    if (unknown.length > 0) {
        throw new Error(`allowedUses has ${unknown.join(", ")}, which no certificate knows`);
    }
    const flags = allowed.reduce((sum, use) => sum | (KEY_USAGES[use] ?? 0), 0);
    const extended = allowed.flatMap((use) => EXTENDED_KEY_USAGES[use] ?? []);
    return [
        ...(flags === 0 ? [] : [new x509.KeyUsagesExtension(flags, true)]),
        ...(extended.length === 0 ? [] : [new x509.ExtendedKeyUsageExtension(extended, false)]),
    ];
}

function alternativeNames({ subject, dnsNames = [], ipAddresses = [], uris = [] }: NamesInputs): x509.Extension[] {
    const names: x509.JsonGeneralNames = [
        ...dnsNames.map((value) => ({ type: "dns" as const, value })),
        ...ipAddresses.map((value) => ({ type: "ip" as const, value })),
        ...uris.map((value) => ({ type: "url" as const, value })),
    ];
    const critical = Object.keys(subject ?? {}).length === 0;
    return names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names, critical)];
}

/** In the order in which Go writes a name. */
function distinguishedName(subject: Subject = {}): x509.JsonName {
    const attributes: readonly (readonly [string, string | undefined])[] = [
        ["C", subject.country],
        ["O", subject.organization],
        ["OU", subject.organizationalUnit],
        ["L", subject.locality],
        ["ST", subject.province],
        ...(subject.streetAddresses ?? []).map((street) => ["2.5.4.9", street] as const),
        ["2.5.4.17", subject.postalCode],
        ["CN", subject.commonName],
        ["2.5.4.5", subject.serialNumber],
        ["E", subject.emailAddress],
    ];
    return attributes.flatMap(([type, value]) => (value === undefined ? [] : [{ [type]: [value] }]));
}

interface Key {
    /** As the tls provider names it. */
    readonly name: string;
    readonly pair: webcrypto.CryptoKeyPair;
    readonly signing: webcrypto.Algorithm | webcrypto.EcdsaParams;
}

async function importKey(pem: string): Promise<Key> {
    const key = createPrivateKey(pem);
    const { name, algorithm, signing } = algorithmOf(key.asymmetricKeyType, key.asymmetricKeyDetails?.namedCurve);
    const secret = key.export({ type: "pkcs8", format: "der" });
    const open = createPublicKey(key).export({ type: "spki", format: "der" });
    return {
        name,
        signing,
        pair: {
            privateKey: await webcrypto.subtle.importKey("pkcs8", secret, algorithm, true, ["sign"]),
            publicKey: await webcrypto.subtle.importKey("spki", open, algorithm, true, ["verify"]),
        },
    };
}

function algorithmOf(
    type: string | undefined,
    curve: string | undefined,
): {
    readonly name: string;
    readonly algorithm: webcrypto.Algorithm | webcrypto.EcKeyImportParams | webcrypto.RsaHashedImportParams;
    readonly signing: webcrypto.Algorithm | webcrypto.EcdsaParams;
} {
    const curves: Readonly<Record<string, readonly [string, string]>> = {
        prime256v1: ["P-256", "SHA-256"],
        secp384r1: ["P-384", "SHA-384"],
        secp521r1: ["P-521", "SHA-512"],
    };
    if (type === "ed25519") {
        return { name: "ED25519", algorithm: { name: "Ed25519" }, signing: { name: "Ed25519" } };
    }
    if (type === "rsa") {
        const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
        return { name: "RSA", algorithm, signing: algorithm };
    }
    const [namedCurve, hash] = curves[curve ?? ""] ?? [];
    if (namedCurve === undefined || hash === undefined) {
        throw new Error(`certificates can't be made with a key of type ${type} ${curve ?? ""}: take P256`);
    }
    return { name: "ECDSA", algorithm: { name: "ECDSA", namedCurve }, signing: { name: "ECDSA", hash } };
}

/** SHA-1 of the public key's bits; https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.2 */
async function keyIdentifier(publicKey: webcrypto.CryptoKey): Promise<string> {
    return (await x509.SubjectKeyIdentifierExtension.create(publicKey, false, webcrypto)).keyId;
}

function rfc3339(date: Date): string {
    return date.toISOString().replace(/\.\d+Z$/, "Z");
}
