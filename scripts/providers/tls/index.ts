import type { Diff, Existing, Provider } from "../provider";
import { changedKeys, type Properties } from "../value";
import { isDueForRenewal } from "./renewal";
import { privateKey } from "./private-key";
import { late } from "../../support/late";

type Creator = (inputs: Properties) => Promise<{ readonly id: string; readonly outputs: Properties }>;

const creators: Readonly<Record<string, Creator>> = {
    "tls:index/privateKey:PrivateKey": privateKey,
    // The X.509 library takes a tenth of a second to load: not for an `up` that makes no certificate.
    "tls:index/certRequest:CertRequest": async (inputs) =>
        (await late<typeof import("./certificate")>(require, "./certificate")).certificateRequest(inputs),
    "tls:index/selfSignedCert:SelfSignedCert": async (inputs) =>
        (await late<typeof import("./certificate")>(require, "./certificate")).selfSignedCertificate(inputs),
    "tls:index/locallySignedCert:LocallySignedCert": async (inputs) =>
        (await late<typeof import("./certificate")>(require, "./certificate")).locallySignedCertificate(inputs),
};

const KEY_OUTPUTS = ["privateKeyPem", "privateKeyPemPkcs8", "privateKeyOpenssh"];

/**
 * `tls:*` with the behaviour of the tls provider 5.6: everything but `earlyRenewalHours` replaces, and so does a certificate's
 * renewal once its last `earlyRenewalHours` have begun.
 */
export const tls: Provider = {
    secretOutputs: (type) => (type.endsWith(":PrivateKey") ? KEY_OUTPUTS : ["privateKeyPem", "caPrivateKeyPem"]),
    diff: (_type, { inputs: before, outputs }: Existing, inputs): Diff => {
        const changed = changedKeys(before, inputs);
        const due = isDueForRenewal(outputs, inputs) ? ["readyForRenewal"] : [];
        return {
            changed: [...changed, ...due],
            replace: [...changed.filter((key) => key !== "earlyRenewalHours"), ...due],
            stable: Object.keys(outputs).filter((key) => key !== "earlyRenewalHours"),
        };
    },
    create: async ({ type }, inputs) => {
        const create = creators[type];
        if (!create) {
            throw new Error(`this tls provider has no ${type}`);
        }
        const { id, outputs } = await create(inputs);
        // As every provider made by Pulumi's bridge to Terraform has it: Terraform's resources know their ids.
        return { id, outputs: { ...outputs, id } };
    },
    update: (_subject, { outputs }, inputs) =>
        Promise.resolve({ ...outputs, earlyRenewalHours: 0, ...inputs, readyForRenewal: false }),
};
