import { createHash } from "node:crypto";
import { UserError } from "../../support/errors";

/** A resource in a state that `pulumi stack export` gives; https://pkg.go.dev/github.com/pulumi/pulumi/sdk/v3/go/common/apitype#ResourceV3 */
interface Resource {
    readonly urn: string;
    readonly type: string;
    readonly custom?: boolean;
    readonly parent?: string;
    /** `<urn>::<id>` */
    readonly provider?: string;
    readonly dependencies?: readonly string[];
    readonly outputs?: Readonly<Record<string, unknown>>;
}

interface State {
    readonly deployment: { readonly resources?: readonly Resource[] };
}

/** Packages whose resources are keys, certificates and random values, and nothing outside the state. */
const KEPT = /^(tls|random):|^pulumi:providers:(tls|random)$/;

/**
 * The state without machines and what was done on them: the authorities, the keys for service accounts and encryption, and the
 * administrator's certificate. An `up` from it makes a new lab of the same identity.
 */
export function identityOf(state: unknown): unknown {
    const { deployment, ...rest } = state as State;
    const kept = new Set<string>();
    const resources = (deployment.resources ?? []).filter(
        ({ urn, type, custom, parent, provider, dependencies = [] }) => {
            const providerUrn = provider?.split("::").slice(0, 4).join("::");
            const needs = [parent, providerUrn, ...dependencies].filter((each) => each !== undefined && each !== "");
            const isKept = (custom !== true || KEPT.test(type)) && needs.every((each) => kept.has(each as string));
            if (isKept) {
                kept.add(urn);
            }
            return isKept;
        },
    );
    return { ...rest, deployment: { ...deployment, resources, pending_operations: [] } };
}

/** Which cluster a state is of: sha256 of its authority's certificates. @throws UserError where it has none. */
export function authorityOf(state: unknown): string {
    const { resources = [] } = (state as State).deployment;
    const certificates = resources
        .filter(
            ({ urn, type }) =>
                type === "tls:index/selfSignedCert:SelfSignedCert" && /[:-]kubernetes-ca(-\d+)?$/.test(urn),
        )
        .map(({ urn, outputs }) => [urn, outputs?.["certPem"]] as const)
        .sort(([one], [other]) => (one < other ? -1 : 1));
    if (certificates.length === 0) {
        throw new UserError("the stack's state has no authority of a cluster");
    }
    return createHash("sha256")
        .update(certificates.map(([, pem]) => String(pem)).join(""))
        .digest("hex");
}
