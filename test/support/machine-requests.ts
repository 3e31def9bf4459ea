import { webcrypto } from "node:crypto";
import "../../components/pki/reflect-metadata";
import * as x509 from "@peculiar/x509";

/** What a machine is asked for: openssl's settings by the certificate's name, out of the text of the step that makes its keys. */
export function settingsIn(text: string): Readonly<Record<string, string>> {
    const found = text.matchAll(/^request (\S+) <<'KUBELAB_SETTINGS'\n([^]*?)^KUBELAB_SETTINGS$/gm);
    return Object.fromEntries([...found].map(([, name = "", settings = ""]) => [name, settings]));
}

/** What such settings say: the subject's parts and the names, as openssl has them. */
export function readSettings(settings: string): {
    readonly commonName: string;
    readonly organization: string | undefined;
    readonly dnsNames: readonly string[];
    readonly ipAddresses: readonly string[];
} {
    const value = (key: string): string | undefined => new RegExp(`^${key} = (.*)$`, "m").exec(settings)?.[1];
    const names = value("subjectAltName")?.split(",") ?? [];
    const ofKind = (kind: string): string[] =>
        names.filter((each) => each.startsWith(kind)).map((each) => each.slice(kind.length));
    return {
        commonName: value("CN") ?? "",
        organization: value("O"),
        dnsNames: ofKind("DNS:"),
        ipAddresses: ofKind("IP:"),
    };
}

const made = new Map<string, Promise<string>>();

/** What the machine prints: a request for each, the same whenever the same one is asked for. */
export async function printedRequests(machine: string, text: string): Promise<string> {
    const requests = await Promise.all(
        Object.entries(settingsIn(text)).map(async ([name, settings]) => {
            const key = [machine, name, settings].join("\n");
            const request = made.get(key) ?? makeRequest(settings);
            made.set(key, request);
            return `${name}\n${await request}\n`;
        }),
    );
    return requests.join("");
}

export async function makeRequest(settings: string): Promise<string> {
    const { commonName, organization, dnsNames, ipAddresses } = readSettings(settings);
    const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
    const alternatives = [
        ...dnsNames.map((value) => ({ type: "dns" as const, value })),
        ...ipAddresses.map((value) => ({ type: "ip" as const, value })),
    ];
    const request = await x509.Pkcs10CertificateRequestGenerator.create(
        {
            name: new x509.Name([
                ...(organization === undefined ? [] : [{ O: [{ utf8String: organization }] }]),
                { CN: [{ utf8String: commonName }] },
            ]),
            keys,
            signingAlgorithm: algorithm,
            extensions: alternatives.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(alternatives)],
        },
        webcrypto,
    );
    return request.toString("pem");
}
