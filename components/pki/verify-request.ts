import { webcrypto } from "node:crypto";
import { RunError } from "@pulumi/pulumi/errors";
import "./reflect-metadata";
import { type ExpectedRequest, isRequestFor } from "./request-der";

const SUBJECT_ALTERNATIVE_NAME = "2.5.29.17";

/**
 * What is signed is what the request asks for. It comes from a machine, which may not be what it was: one that asks for another
 * subject, another name or another address than it is to have gets nothing signed.
 *
 * @param which machine and certificate, as a person reads them.
 * @param pem undefined where the machine told none.
 * @throws RunError with what was asked for, and what to do.
 */
export async function verifyRequest(which: string, pem: string | undefined, expected: ExpectedRequest): Promise<void> {
    if (pem !== undefined && isRequestFor(pem, expected)) {
        return;
    }
    throw new RunError(
        `${which}: ${await whyNot(pem, expected)}, so nothing is signed. The machine isn't what it was: look at what has changed it, ` +
            "or replace it. Where it is only /var/lib/kubelab/keys that is damaged, have its keys made anew (kubelab:newKeys)",
    );
}

/** What is wrong with a request, a clause. */
async function whyNot(pem: string | undefined, expected: ExpectedRequest): Promise<string> {
    if (pem === undefined) {
        return "the machine sent no certificate request";
    }
    // It takes a while to load: not for what is right.
    const x509 = await import("@peculiar/x509");
    let request;
    try {
        request = new x509.Pkcs10CertificateRequest(pem);
    } catch (error) {
        return `the certificate request can't be read (${(error as Error).message})`;
    }
    if (!(await request.verify(webcrypto).catch(() => false))) {
        return "the certificate request isn't signed by its own key";
    }
    const { name, namedCurve } = request.publicKey.algorithm as { readonly name: string; readonly namedCurve?: string };
    if (!/^EC/.test(name) || namedCurve !== "P-256") {
        return `the certificate request has a key of type ${name} ${namedCurve ?? ""} and not ECDSA P-256`;
    }
    const { commonName, organization, dnsNames = [], ipAddresses = [] } = expected;
    const subject = [...(organization === undefined ? [] : [`O=${organization}`]), `CN=${commonName}`].join(", ");
    if (request.subject !== subject) {
        return `the certificate request is for ${request.subject} and not for ${subject}`;
    }
    const names = renderNames([
        ...dnsNames.map((value) => ({ type: "dns", value })),
        ...ipAddresses.map((value) => ({ type: "ip", value })),
    ]);
    const found = request.extensions.map((each) =>
        each.type === SUBJECT_ALTERNATIVE_NAME
            ? renderNames(new x509.SubjectAlternativeNameExtension(each.rawData).names.toJSON())
            : `the extension ${each.type}`,
    );
    const asked = found.join("; ") || "no names";
    return asked === names
        ? "the certificate request isn't written as it is to be"
        : `the certificate request is for ${asked} and not for ${names}`;
}

function renderNames(names: readonly { readonly type: string; readonly value: unknown }[]): string {
    return names.map(({ type, value }) => `${type}:${String(value)}`).join(" ") || "no names";
}
