import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import { Component } from "../component";
import { EARLY_RENEWAL_DAYS } from "./renewal";
import type { CertificateRequest } from "./requests";

/** A PEM certificate and its private key. */
export interface KeyPair {
    readonly certPem: pulumi.Output<string>;
    readonly keyPem: pulumi.Output<string>;
}

const CA_VALIDITY_HOURS = 10 * 8760;
const VALIDITY_HOURS = 8760;
const KEY = { algorithm: "ECDSA", ecdsaCurve: "P256" } as const;

/** One certificate authority. What it signs belongs to whoever asks for it. */
export class CertificateAuthority extends Component {
    readonly certPem: pulumi.Output<string>;
    /** For the controller manager, which signs certificate signing requests with the Kubernetes authority. */
    readonly keyPem: pulumi.Output<string>;

    /** @param commonName of its certificate: `etcd-ca`. */
    constructor(commonName: string, parent: Component) {
        super("kubelab:pki:CertificateAuthority", parent.nameOf(commonName), { parent });
        const key = new tls.PrivateKey(this.nameOf("key"), KEY, { parent: this });
        const certificate = new tls.SelfSignedCert(
            this.resourceName,
            {
                privateKeyPem: key.privateKeyPem,
                isCaCertificate: true,
                setSubjectKeyId: true,
                subject: { commonName },
                allowedUses: ["cert_signing", "crl_signing", "digital_signature"],
                validityPeriodHours: CA_VALIDITY_HOURS,
            },
            { parent: this },
        );
        this.certPem = certificate.certPem;
        this.keyPem = key.privateKeyPem;
        this.registerOutputs({ certPem: this.certPem, keyPem: this.keyPem });
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
                caPrivateKeyPem: this.keyPem,
                caCertPem: this.certPem,
                allowedUses: ["digital_signature", ...uses.map((use) => `${use}_auth`)],
                validityPeriodHours: VALIDITY_HOURS,
                earlyRenewalHours: EARLY_RENEWAL_DAYS * 24,
            },
            { parent },
        ).certPem;
    }
}
