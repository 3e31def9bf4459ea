import { X509Certificate } from "node:crypto";
import { EARLY_RENEWAL_DAYS } from "../../components/pki/renewal";
import { AUTHORITIES } from "../../components/cluster-spec/authorities";
import { UserError } from "../support/errors";
import type { StateResource } from "../engine/engine";
import type { ClusterAccess } from "./cluster-access";
import type { StackNode } from "./stack";
import { renderTable } from "./table";

/** A kubelet renews its own, of a week, long before this. */
const KUBELET_WARNING_DAYS = 1;

const TYPES = {
    "tls:index/locallySignedCert:LocallySignedCert": "up",
    "tls:index/selfSignedCert:SelfSignedCert": "nobody",
} as const;

/** A certificate of the cluster. */
export interface Certificate {
    /** `cp-1-kube-apiserver`: its resource's, without the cluster's; `worker-1-kubelet-client` of what a kubelet asks for. */
    readonly name: string;
    readonly subject: string;
    readonly issuer: string;
    readonly notAfter: Date;
    /** Who makes another one in time; an authority's is replaced on request. */
    readonly renewedBy: "up" | "kubelet" | "rotation" | "nobody";
    /** Of its resource, where it has one. */
    readonly urn?: string;
}

/** The certificates that `up` has signed, and the authorities', as the state has them. */
export function certificatesOfState(resources: readonly StateResource[]): Certificate[] {
    const cluster = nameOf(resources.find(({ type }) => type === "kubelab:index:Cluster")?.urn ?? "");
    return resources.flatMap(({ urn, type, outputs }) => {
        const renewedBy = TYPES[type as keyof typeof TYPES];
        const pem = outputs?.["certPem"];
        if (renewedBy === undefined || typeof pem !== "string") {
            return [];
        }
        const name = nameOf(urn);
        const own = name.startsWith(`${cluster}-`) ? name.slice(cluster.length + 1) : name;
        return [{ ...readCertificate(own, pem, authorityOf(own) === undefined ? renewedBy : "rotation"), urn }];
    });
}

/** The authority that a certificate of this name is of: `etcd-ca` of `etcd-ca-2`. */
function authorityOf(name: string): string | undefined {
    return AUTHORITIES.find((each) => name.replace(/-\d+$/, "") === each);
}

/** What kubelets have asked for, from their machines; with the nodes that don't answer. */
export async function certificatesOfKubelets(
    cluster: ClusterAccess,
): Promise<{ readonly certificates: Certificate[]; readonly silent: string[] }> {
    const nodes = cluster.stack.outputs().nodes;
    const found = await Promise.all(nodes.map((node) => ofKubelet(cluster, node)));
    return {
        certificates: found.flatMap((each) => each ?? []),
        silent: nodes.filter((_, index) => found[index] === undefined).map(({ name }) => name),
    };
}

/** The files have the keys, too: only certificates are read. */
const KUBELET_FILES =
    'for use in client server; do file=/var/lib/kubelet/pki/kubelet-$use-current.pem; if [ -e "$file" ]; then echo "# $use"; sed -n "/BEGIN CERTIFICATE/,/END CERTIFICATE/p" "$file"; fi; done';

async function ofKubelet(cluster: ClusterAccess, node: StackNode): Promise<Certificate[] | undefined> {
    const { code, stdout } = await cluster.tryAsRoot(node, KUBELET_FILES, 20);
    return code === 0 ? parseKubeletFiles(node.name, stdout) : undefined;
}

/** Blocks of a line `# client` or `# server` and a PEM certificate. */
export function parseKubeletFiles(node: string, text: string): Certificate[] {
    return [...text.matchAll(/^# (client|server)\n(-----BEGIN[^#]*)/gm)].map(([, use = "", pem = ""]) =>
        readCertificate(`${node}-kubelet-${use}`, pem, "kubelet"),
    );
}

function readCertificate(name: string, pem: string, renewedBy: Certificate["renewedBy"]): Certificate {
    const { subject, issuer, validTo } = new X509Certificate(pem);
    return { name, subject: oneLine(subject), issuer: commonName(issuer), notAfter: new Date(validTo), renewedBy };
}

const oneLine = (name: string): string => name.split("\n").reverse().join(", ");
const commonName = (name: string): string => /^CN=(.*)$/m.exec(name)?.[1] ?? oneLine(name);
const nameOf = (urn: string): string => urn.split("::")[3] ?? urn;

/** Whole days from `now` until it ends; negative once it has. */
export function daysLeft({ notAfter }: Pick<Certificate, "notAfter">, now: Date): number {
    return Math.floor((notAfter.getTime() - now.getTime()) / 86_400_000);
}

/** Whether it should have been renewed. */
export function endsSoon(certificate: Certificate, now: Date): boolean {
    return (
        daysLeft(certificate, now) < (certificate.renewedBy === "kubelet" ? KUBELET_WARNING_DAYS : EARLY_RENEWAL_DAYS)
    );
}

const RENEWED_BY: Readonly<Record<Certificate["renewedBy"], string>> = {
    up: "up",
    kubelet: "its kubelet",
    rotation: "certs renew --authority",
    nobody: "nobody",
};

/** A line for each, the next to end first. */
export function renderCertificates(certificates: readonly Certificate[], now: Date): string {
    const rows = [...certificates]
        .sort((a, b) => a.notAfter.getTime() - b.notAfter.getTime() || (a.name < b.name ? -1 : 1))
        .map((each) => [
            each.name,
            each.notAfter.toISOString().slice(0, 10),
            String(daysLeft(each, now)),
            RENEWED_BY[each.renewedBy],
            each.issuer,
            each.subject,
        ]);
    return renderTable(["NAME", "ENDS", "DAYS", "RENEWED BY", "ISSUER", "SUBJECT"], rows);
}

/**
 * Options of the engine that have it make these certificates anew, for the same keys.
 *
 * @param names of certificates; all that `up` renews where it is "all".
 * @throws UserError for a name that isn't one of a certificate that `up` renews.
 */
export function renewalFlags(certificates: readonly Certificate[], names: readonly string[] | "all"): string[] {
    const renewable = certificates.filter(({ renewedBy }) => renewedBy === "up");
    const wanted = names === "all" ? renewable.map(({ name }) => name) : names;
    return wanted.flatMap((name) => {
        const found = certificates.find((each) => each.name === name);
        if (found?.renewedBy === "up" && found.urn !== undefined) {
            return ["--replace", found.urn];
        }
        if (found?.renewedBy === "kubelet") {
            throw new UserError(
                `${name} is renewed by its kubelet. kubelab:newKeys has it ask for another one at once.`,
            );
        }
        if (found !== undefined) {
            const authority = authorityOf(name);
            throw new UserError(
                authority === undefined
                    ? `Nobody renews ${name} while the cluster lives.`
                    : `${name} is an authority's: 'certs renew --authority ${authority}' replaces it.`,
            );
        }
        throw new UserError(
            `There is no certificate ${name}. 'certs' lists them: ${renewable.map((each) => each.name).join(", ")}.`,
        );
    });
}
