import { readFileSync } from "node:fs";
import { eventually, Lab, NO_CHANGES, story } from "../support/lab";

const CLIENT = "kubernetes.io/kube-apiserver-client-kubelet";
const SERVING = "kubernetes.io/kubelet-serving";
const PKI = "/var/lib/kubelet/pki";

/** What is asked for, and who asks: curl's options that name the credentials. */
interface Asked {
    readonly name: string;
    readonly as: string;
    readonly subject?: string;
    readonly names?: string;
    readonly signer?: string;
    readonly usages?: readonly string[];
}

/** The command line that makes a request on a machine, and sends it to the API server; prints the status of the answer. */
function ask({ name, as, subject = "/O=system:nodes/CN=system:node:worker-1", ...rest }: Asked): string {
    const { names, signer = CLIENT, usages = ["digital signature", "client auth"] } = rest;
    const extension = names === undefined ? "" : `-addext 'subjectAltName = ${names}'`;
    const head = `{"apiVersion":"certificates.k8s.io/v1","kind":"CertificateSigningRequest","metadata":{"name":"${name}"},"spec":`;
    const spec = `"signerName":"${signer}","usages":${JSON.stringify(usages)}}}`;
    // As Go writes it: with printable strings. A server that refuses may close the connection before it has read all.
    return [
        `pem=$(openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /root/${name}.key -subj '${subject}' ${extension} -config <(printf '[req]\\nstring_mask = nombstr\\ndistinguished_name = dn\\n[dn]\\n') 2>/dev/null | base64 -w 0)`,
        `printf '%s' '${head}{"request":"'"$pem"'",${spec}' | curl -s -o /dev/null -w '%{http_code}' --cacert /etc/kubernetes/kubelet/ca.crt ${as} -H 'Content-Type: application/json' --data @- https://api.test-node-certificates:6443/apis/certificates.k8s.io/v1/certificatesigningrequests || true`,
    ].join("; ");
}

story("the certificates of kubelets", () => {
    let lab: Lab;

    beforeAll(() => {
        lab = new Lab("node-certificates", "10.247.78.0/24");
        lab.configure({ workers: 1 });
    }, 120_000);
    afterAll(() => {
        lab.remove();
    }, 120_000);

    /** What became of a request, and the message. */
    const answerTo = (name: string): Promise<string> =>
        eventually(20, () => {
            const path = "{.status.conditions[0].type}: {.status.conditions[0].message}";
            const text = lab.kubectl("get", "csr", name, "-o", `jsonpath=${path}`);
            expect(text).toMatch(/^(Approved|Denied): /);
            return text;
        });
    const certificate = (node: string, kind: string): string =>
        lab.ssh(
            node,
            `openssl x509 -noout -subject -issuer -ext subjectAltName -in ${PKI}/kubelet-${kind}-current.pem 2>&1`,
        );
    const fingerprint = (kind: string): string =>
        lab.ssh("worker-1", `openssl x509 -noout -fingerprint -in ${PKI}/kubelet-${kind}-current.pem`);
    const asNode = `--cert ${PKI}/kubelet-client-current.pem --key ${PKI}/kubelet-client-current.pem`;

    /** Gives the API server a token for worker-1 as kubelab does, for so many seconds from now. */
    const offer = (id: string, seconds: number): string => {
        const expiration = new Date(Date.now() + seconds * 1000).toISOString().replace(/\.\d+/, "");
        const groups = "system:bootstrappers:kubelab,system:bootstrappers:kubelab:worker-1";
        const data = { "token-id": id, "token-secret": "0123456789abcdef", expiration };
        const literals = { ...data, "usage-bootstrap-authentication": "true", "auth-extra-groups": groups };
        lab.kubectl(
            ...["-n", "kube-system", "create", "secret", "generic", `bootstrap-token-${id}`],
            "--type=bootstrap.kubernetes.io/token",
            ...Object.entries(literals).map(([key, value]) => `--from-literal=${key}=${value}`),
        );
        return `-H 'Authorization: Bearer ${id}.0123456789abcdef'`;
    };

    it("are asked for by each node, signed for a week, and no token is left", async () => {
        const { code, stdout, stderr } = lab.run("up", ["--verbose"], 900);
        expect(code === 0 ? "" : `${stdout}${stderr}`).toBe("");
        const token = lab.ssh("worker-1", "cat /etc/kubernetes/kubelet/bootstrap-token").trim();
        expect(token).toMatch(/^[a-z0-9]{6}\.[a-z0-9]{16}$/);
        const secret = token.slice(7);
        expect(`${stdout}${stderr}${readFileSync(lab.stateFile, "utf8")}`).not.toContain(secret);
        expect(lab.ssh("cp-1", "journalctl --no-pager -o cat; cat /var/lib/kubelab/record/*")).not.toContain(secret);
        expect(certificate("worker-1", "client")).toContain("O = system:nodes, CN = system:node:worker-1");
        await eventually(20, () =>
            expect(certificate("worker-1", "server")).toContain("DNS:worker-1, IP Address:10.247.78.21"),
        );
        expect(
            lab.ssh("cp-1", `openssl x509 -noout -checkend 610000 -in ${PKI}/kubelet-client-current.pem || true`),
        ).toContain("will expire");
        expect(lab.kubectl("-n", "kube-system", "get", "secrets", "-o", "name")).not.toContain("bootstrap-token");
        expect(lab.ssh("cp-1", "ls /var/lib/kubelab/tokens")).toBe("");
        expect(lab.run("status").code).toBe(0);
    }, 900_000);

    it("need no token when nothing changes", () => {
        const requests = lab.kubectl("get", "csr", "-o", "name");
        expect(lab.upChanges()).toEqual(NO_CHANGES);
        expect(lab.kubectl("get", "csr", "-o", "name")).toBe(requests);
    }, 120_000);

    it("are denied to a node that asks for anything but its own", async () => {
        const server = { signer: SERVING, usages: ["digital signature", "server auth"], as: asNode };
        const wrong: readonly Asked[] = [
            { name: "other-name", as: asNode, subject: "/O=system:nodes/CN=system:node:cp-1" },
            { name: "other-group", as: asNode, subject: "/O=system:masters/CN=system:node:worker-1" },
            { name: "more-groups", as: asNode, subject: "/O=system:nodes/O=system:masters/CN=system:node:worker-1" },
            { name: "client-names", as: asNode, names: "DNS:kubernetes" },
            { name: "usages-of-ca", as: asNode, usages: ["digital signature", "client auth", "cert sign"] },
            { ...server, name: "other-address", names: "DNS:worker-1,IP:10.247.78.11" },
            { ...server, name: "api-name", names: "DNS:kubernetes.default.svc,IP:10.247.78.21" },
            { ...server, name: "more-names", names: "DNS:worker-1,DNS:api,IP:10.247.78.21" },
        ];
        // The API server itself refuses a node another name, and usages that a signer has no use for.
        const statuses = wrong.map((each) => lab.ssh("worker-1", ask(each)));
        for (const [index, { name }] of wrong.entries()) {
            const answer = statuses[index] === "201" ? await answerTo(name) : `Denied: ${statuses[index]}`;
            expect([name, answer]).toEqual([name, expect.stringMatching(/^Denied: /)]);
        }
        expect(statuses.filter((status) => status === "201").length).toBeGreaterThanOrEqual(4);
        expect(await answerTo("more-names")).toBe(
            "Denied: it isn't what the kubelet of worker-1 asks for with the address 10.247.78.21",
        );
    }, 120_000);

    it("leaves requests to other signers alone, which nobody approves", () => {
        const asked = { name: "other-signer", as: asNode, signer: "kubernetes.io/kube-apiserver-client" };
        expect(lab.ssh("worker-1", ask(asked))).toBe("201");
        lab.ssh("worker-1", "sleep 2");
        expect(lab.kubectl("get", "csr", "other-signer", "-o", "jsonpath={.status.conditions}")).toBe("");
    }, 60_000);

    it("are signed once for a token, for its node, until it expires", async () => {
        const token = offer("abcdef", 300);
        const other = { as: token, subject: "/O=system:nodes/CN=system:node:cp-1" };
        expect(lab.ssh("worker-1", ask({ name: "token-other-name", ...other }))).toBe("201");
        expect(await answerTo("token-other-name")).toContain("Denied: it isn't what the kubelet of worker-1");
        const serving = { signer: SERVING, usages: ["digital signature", "server auth"], as: token };
        // The API server takes such requests from nodes only, or the approver denies them.
        const status = lab.ssh(
            "worker-1",
            ask({ ...serving, name: "token-serving", names: "DNS:worker-1,IP:10.247.78.21" }),
        );
        if (status === "201") {
            expect(await answerTo("token-serving")).toContain("Denied: a token asks for a client certificate only");
        }
        expect(lab.ssh("worker-1", ask({ name: "token-right", as: token }))).toBe("201");
        expect(await answerTo("token-right")).toBe("Approved: kube-apiserver-client-kubelet of worker-1");
        expect(lab.ssh("worker-1", ask({ name: "token-again", as: token }))).toBe("201");
        expect(await answerTo("token-again")).toBe("Denied: the token was used already");
        // Nothing but certificate requests.
        const get = (path: string): string =>
            lab.ssh(
                "worker-1",
                `curl -s -o /dev/null -w '%{http_code}' --cacert /etc/kubernetes/kubelet/ca.crt ${token} https://api.test-node-certificates:6443${path}`,
            );
        expect(get("/api/v1/nodes")).toBe("403");
        expect(get("/api/v1/namespaces/kube-system/secrets")).toBe("403");
        const expired = offer("expire", -60);
        expect(lab.ssh("worker-1", ask({ name: "token-expired", as: expired }))).toBe("401");
    }, 120_000);

    it("are asked for again by a node that has lost them, when it is repaired", async () => {
        lab.ssh("worker-1", `rm -r ${PKI}; systemctl restart --no-block kubelet`);
        await eventually(60, () =>
            expect(lab.run("status").stdout).toContain("the kubelet's client certificate: gone"),
        );
        lab.succeed("repair", ["worker-1"]);
        await eventually(20, () => expect(certificate("worker-1", "server")).toContain("DNS:worker-1"));
        expect(lab.run("status").code).toBe(0);
    }, 300_000);

    it("are renewed by the kubelet itself, without an up", async () => {
        lab.up({
            flags: { "kube-controller-manager": { "cluster-signing-duration": "2m" } },
            newKeys: { "worker-1": "short" },
        });
        const before = fingerprint("client");
        await eventually(150, () => expect(fingerprint("client")).not.toBe(before));
        expect(lab.kubectl("get", "node", "worker-1")).toContain(" Ready ");
        lab.up({ flags: undefined });
    }, 600_000);

    it("are good for nothing when the node has left: it comes back by none of them, and its kube-proxy has no rights", () => {
        const pem = lab.ssh("worker-1", `cat ${PKI}/kubelet-client-current.pem`);
        const proxy = lab.ssh("worker-1", "cat /etc/kubernetes/kube-proxy/client.{crt,key}");
        lab.ssh("cp-1", `umask 077; printf '%s' '${proxy}' >/root/proxy.pem`);
        const asProxy =
            "curl -s -o /dev/null -w '%{http_code}' --cacert /etc/kubernetes/kube-proxy/ca.crt --cert /root/proxy.pem " +
            "--key /root/proxy.pem https://api.test-node-certificates:6443/api/v1/services";
        expect(lab.ssh("cp-1", asProxy)).toBe("200");
        lab.up({ workers: 0, newKeys: undefined });
        expect(lab.ssh("cp-1", asProxy)).toBe("403");
        lab.ssh("cp-1", `umask 077; printf '%s' '${pem}' >/root/left.pem`);
        const asKubelet = "--cert /root/left.pem --key /root/left.pem";
        expect(lab.ssh("cp-1", ask({ name: "left", as: asKubelet }))).toBe("403");
        const node = JSON.stringify({ apiVersion: "v1", kind: "Node", metadata: { name: "worker-1" } });
        const register = `curl -s --cacert /etc/kubernetes/kubelet/ca.crt ${asKubelet} -H 'Content-Type: application/json' -d '${node}' https://api.test-node-certificates:6443/api/v1/nodes`;
        expect(lab.ssh("cp-1", register)).toContain("worker-1 is no node of this cluster");
        expect(lab.kubectl("get", "nodes", "-o", "name")).toBe("node/cp-1\n");
    }, 300_000);
});
