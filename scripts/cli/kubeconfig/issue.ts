import "../../../components/pki/reflect-metadata";
import { createPrivateKey, randomBytes, webcrypto, X509Certificate } from "node:crypto";
import { UserError } from "../../support/errors";
import type { ClusterAccess } from "../cluster-access";
import type { UserRequest } from "./options";
import { objectsOf, ownGroup, type UserRecord } from "./records";

/** Signs for clients of the API server, and for nobody in system:masters. */
const SIGNER = "kubernetes.io/kube-apiserver-client";
const SIGNING_SECONDS = 20;

export interface Issued {
    readonly record: UserRecord;
    /** PEM of both. */
    readonly certificate: string;
    readonly key: string;
}

/**
 * Has the cluster sign a certificate for a person, and binds the role. The key is made here, and is in no argument, log or object of
 * the cluster. https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/
 *
 * @throws UserError where the namespace or the role is missing, before anything is made; or where nobody signs.
 */
export async function issue(cluster: ClusterAccess, request: UserRequest): Promise<Issued> {
    await requireRole(cluster, request);
    const { seconds, ...wanted } = request;
    const id = randomBytes(4).toString("hex");
    const { key, csr } = await makeRequest(request.user, [...request.groups, ownGroup({ user: request.user, id })]);
    const name = `kubelab-user-${id}`;
    const object = {
        apiVersion: "certificates.k8s.io/v1",
        kind: "CertificateSigningRequest",
        metadata: { name },
        spec: {
            request: Buffer.from(csr).toString("base64"),
            signerName: SIGNER,
            expirationSeconds: seconds,
            usages: ["client auth", "digital signature"],
        },
    };
    await cluster.kubectl(["create", "-f", "-"], JSON.stringify(object));
    try {
        await cluster.kubectl(["certificate", "approve", name]);
        const certificate = await signed(cluster, name);
        const record = { ...wanted, id, expires: new Date(new X509Certificate(certificate).validTo).toISOString() };
        const list = { apiVersion: "v1", kind: "List", items: objectsOf(record) };
        await cluster.kubectl(["create", "-f", "-"], JSON.stringify(list));
        return { record, certificate, key };
    } finally {
        await cluster.tryKubectl(["delete", "certificatesigningrequest", name, "--ignore-not-found"]);
    }
}

async function requireRole(cluster: ClusterAccess, { namespace, role }: UserRequest): Promise<void> {
    const missing = async (kind: string, name: string): Promise<boolean> => {
        const found = await cluster.kubectl(["get", kind, name, "--ignore-not-found", "-o", "name"]);
        return found.trim() === "";
    };
    if (namespace !== undefined && (await missing("namespace", namespace))) {
        const remedy = cluster.stack.command("kubectl", "create", "namespace", namespace);
        throw new UserError(`--namespace: there is no namespace "${namespace}": run '${remedy}' first.`);
    }
    if (role !== undefined && (await missing("clusterrole", role))) {
        throw new UserError(
            `--role: there is no cluster role "${role}": view, edit and admin are there from the start.`,
        );
    }
}

async function signed(cluster: ClusterAccess, name: string): Promise<string> {
    const deadline = Date.now() + SIGNING_SECONDS * 1000;
    for (;;) {
        const path = "jsonpath={.status.certificate}";
        const text = await cluster.kubectl(["get", "certificatesigningrequest", name, "-o", path]);
        if (text !== "") {
            return Buffer.from(text, "base64").toString();
        }
        if (Date.now() > deadline) {
            throw new UserError(
                `Nobody has signed the certificate within ${SIGNING_SECONDS} seconds. The controller manager does that: does it run? '${cluster.stack.command("status")}' shows it.`,
            );
        }
        await new Promise((resolve) => setTimeout(resolve, 200));
    }
}

/** A new P-256 key, and a certificate request of it. */
async function makeRequest(
    user: string,
    groups: readonly string[],
): Promise<{ readonly key: string; readonly csr: string }> {
    const x509 = await import("@peculiar/x509");
    const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
    const request = await x509.Pkcs10CertificateRequestGenerator.create(
        {
            name: [...groups.map((group) => ({ O: [group] })), { CN: [user] }],
            keys,
            signingAlgorithm: algorithm,
        },
        webcrypto,
    );
    const der = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey));
    const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
    return { key: key.export({ type: "pkcs8", format: "pem" }) as string, csr: `${request.toString("pem")}\n` };
}
