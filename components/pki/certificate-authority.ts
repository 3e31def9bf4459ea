import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import type { AuthorityName } from "../cluster-spec/authorities";
import { Component } from "../component";
import { byNumber, numbered } from "./numbered";
import { EARLY_RENEWAL_DAYS } from "./renewal";
import type { CertificateRequest } from "./requests";

/** A PEM certificate and its private key. */
export interface KeyPair {
    readonly certPem: pulumi.Output<string>;
    readonly keyPem: pulumi.Output<string>;
}

const CA_VALIDITY_HOURS = 10 * 8760;
const VALIDITY_HOURS = 8760;
/** Of every key. */
export const KEY = { algorithm: "ECDSA", ecdsaCurve: "P256" } as const;

/** One certificate authority, while it is replaced with two key pairs. What it signs belongs to whoever asks for it. */
export class CertificateAuthority extends Component {
    /** The certificates of all its key pairs, in the order of their numbers, for those that trust it. */
    readonly trusted: pulumi.Output<string>;
    /** What signs; for the controller manager too, which signs certificate signing requests with the Kubernetes authority. */
    readonly signer: KeyPair;

    /** @param numbers of its key pairs: the first one signs. */
    constructor(name: AuthorityName, numbers: readonly number[], parent: Component) {
        super("kubelab:pki:CertificateAuthority", parent.nameOf(name), { parent });
        const { first, all } = byNumber(numbers, (number) => this.keyPair(name, number));
        this.signer = first;
        this.trusted = pulumi.all(all.map(({ certPem }) => certPem)).apply((each) => each.join(""));
        this.registerOutputs({ certPem: this.trusted, keyPem: this.signer.keyPem });
    }

    /** @param number in the common name of its certificate: `etcd-ca`, `etcd-ca-2`. */
    private keyPair(name: AuthorityName, number: number): KeyPair {
        const key = new tls.PrivateKey(this.nameOf(numbered("key", number)), KEY, { parent: this });
        const certificate = new tls.SelfSignedCert(
            number === 1 ? this.resourceName : this.nameOf(String(number)),
            {
                privateKeyPem: key.privateKeyPem,
                isCaCertificate: true,
                setSubjectKeyId: true,
                subject: { commonName: numbered(name, number) },
                allowedUses: ["cert_signing", "crl_signing", "digital_signature"],
                validityPeriodHours: CA_VALIDITY_HOURS,
            },
            { parent: this },
        );
        return { certPem: certificate.certPem, keyPem: key.privateKeyPem };
    }

    /**
     * Signs a certificate with a key of its own, for whoever keeps both here. What is on a machine has its key there: see `sign`.
     *
     * @param name of the resource.
     * @param parent the component that uses it, which has its resources.
     */
    issue(
        name: string,
        { commonName, organization, uses }: Pick<CertificateRequest, "commonName" | "organization" | "uses">,
        parent: Component,
    ): KeyPair {
        const options = { parent };
        const key = new tls.PrivateKey(`${name}-key`, KEY, options);
        const csr = new tls.CertRequest(
            `${name}-request`,
            {
                privateKeyPem: key.privateKeyPem,
                subject: { commonName, ...(organization === undefined ? {} : { organization }) },
            },
            options,
        );
        return { certPem: this.sign(name, csr.certRequestPem, uses, parent), keyPem: key.privateKeyPem };
    }

    /**
     * Signs what a request asks for; the certificate is renewed by an `up` in its last thirty days.
     *
     * @param name of the resource.
     * @param request PEM. Its subject and its names are the certificate's: whoever signs it has to know that they are right.
     * @param parent the component that uses it, which has its resource.
     * @returns the certificate, PEM.
     */
    sign(
        name: string,
        request: pulumi.Output<string>,
        uses: CertificateRequest["uses"],
        parent: Component,
    ): pulumi.Output<string> {
        return new tls.LocallySignedCert(
            name,
            {
                certRequestPem: request,
                caPrivateKeyPem: this.signer.keyPem,
                caCertPem: this.signer.certPem,
                allowedUses: ["digital_signature", ...uses.map((use) => `${use}_auth`)],
                validityPeriodHours: VALIDITY_HOURS,
                earlyRenewalHours: EARLY_RENEWAL_DAYS * 24,
            },
            { parent },
        ).certPem;
    }
}
