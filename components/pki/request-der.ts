import { createPublicKey, verify } from "node:crypto";

/** What a request must ask for, no more and no less. */
export interface ExpectedRequest {
    readonly commonName: string;
    readonly organization?: string;
    readonly dnsNames?: readonly string[];
    readonly ipAddresses?: readonly string[];
}

/** DER of object identifiers and of what is the same in every request; https://www.rfc-editor.org/rfc/rfc2986#section-4 */
const VERSION = hex("020100");
const COMMON_NAME = hex("0603550403");
const ORGANIZATION = hex("060355040a");
const EXTENSION_REQUEST = hex("06092a864886f70d01090e");
const SUBJECT_ALTERNATIVE_NAME = hex("0603551d11");
/** A public key on the curve P-256, but for its point of 65 bytes, which comes last. */
const P256_KEY = hex("3059301306072a8648ce3d020106082a8648ce3d030107034200");
const POINT_BYTES = 65;
const ECDSA_WITH_SHA256 = hex("300a06082a8648ce3d040302");
const [SEQUENCE, SET, UTF8_STRING, OCTET_STRING, ATTRIBUTES, DNS_NAME, IP_ADDRESS] = [
    ...[0x30, 0x31, 0x0c, 0x04, 0xa0, 0x82, 0x87],
] as const;

/**
 * Whether a certificate request is, byte for byte but for its key, what openssl makes of the settings for it, and is signed by that key.
 * Nothing in it is left to how anybody reads it. Quick, since every `up` asks.
 */
export function isRequestFor(pem: string, expected: ExpectedRequest): boolean {
    const bytes = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ""), "base64");
    const subject = der(
        SEQUENCE,
        ...(expected.organization === undefined ? [] : [attribute(ORGANIZATION, expected.organization)]),
        attribute(COMMON_NAME, expected.commonName),
    );
    const at = bytes.indexOf(P256_KEY);
    const key = bytes.subarray(at, at + P256_KEY.length + POINT_BYTES);
    const info = der(SEQUENCE, VERSION, subject, key, der(ATTRIBUTES, ...namesAttribute(expected)));
    // The signature's bits come last: one byte says how many of them are unused.
    const start = bytes.indexOf(info) + info.length + ECDSA_WITH_SHA256.length;
    const signature = bytes.subarray(start + 3);
    const whole = der(SEQUENCE, info, ECDSA_WITH_SHA256, der(0x03, Buffer.from([0]), signature));
    return at > 0 && bytes.equals(whole) && isSigned(info, key, signature);
}

function isSigned(info: Buffer, key: Buffer, signature: Buffer): boolean {
    try {
        return verify("sha256", info, createPublicKey({ key, format: "der", type: "spki" }), signature);
    } catch {
        // The point isn't on the curve.
        return false;
    }
}

function attribute(type: Buffer, value: string): Buffer {
    return der(SET, der(SEQUENCE, type, der(UTF8_STRING, Buffer.from(value))));
}

function namesAttribute({ dnsNames = [], ipAddresses = [] }: ExpectedRequest): Buffer[] {
    const names = [
        ...dnsNames.map((name) => der(DNS_NAME, Buffer.from(name))),
        ...ipAddresses.map((address) => der(IP_ADDRESS, Buffer.from(address.split(".").map(Number)))),
    ];
    const extension = der(SEQUENCE, SUBJECT_ALTERNATIVE_NAME, der(OCTET_STRING, der(SEQUENCE, ...names)));
    return names.length === 0 ? [] : [der(SEQUENCE, EXTENSION_REQUEST, der(SET, der(SEQUENCE, extension)))];
}

/** A value with its tag and its length, which is below 64 KiB. */
function der(tag: number, ...content: readonly Buffer[]): Buffer {
    const { length } = Buffer.concat(content);
    const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
    return Buffer.concat([Buffer.from([tag, ...size]), ...content]);
}

function hex(text: string): Buffer {
    return Buffer.from(text, "hex");
}
