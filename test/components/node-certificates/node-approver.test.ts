import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bash, shellcheck, temporaryDirectory, testWith } from "../../support/bash";

jest.setTimeout(60_000);

const PROGRAM = readFileSync(join(__dirname, "../../../components/node-certificates/node-approver.sh"), "utf8");
const CLIENT = "kubernetes.io/kube-apiserver-client-kubelet";
const SERVING = "kubernetes.io/kubelet-serving";
const AS_CLIENT = ["digital signature", "client auth"];
const AS_SERVER = ["digital signature", "server auth"];
const TOKEN = "system:bootstrap:abcdef";

const directory = temporaryDirectory();
const leases = join(directory.path, "leases");
const NODES = { "worker-1": "10.240.0.21", "worker-2": "10.240.0.22" };

/** The ConfigMap of the nodes, as the API server gives it to curl. */
const known = (nodes: Readonly<Record<string, string>> = NODES): string =>
    JSON.stringify({ kind: "ConfigMap", apiVersion: "v1", data: nodes }, undefined, 2);

/** A request as the approver's template prints it. */
interface Asked {
    readonly signer: string;
    readonly user: string;
    readonly groups: readonly string[];
    readonly usages: readonly string[];
    readonly pem: string;
}

interface Settings {
    readonly subject?: readonly string[];
    readonly names?: string;
    readonly extensions?: readonly string[];
    readonly key?: readonly string[];
}

/** A request as Go writes it: openssl does so with printable strings. */
function request({ subject = ["O = system:nodes", "CN = system:node:worker-1"], ...rest }: Settings = {}): string {
    const { names, extensions = names === undefined ? [] : [`subjectAltName = ${names}`] } = rest;
    const { key = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"] } = rest;
    const config = [
        ...["[req]", "prompt = no", "string_mask = nombstr", "default_md = sha256", "distinguished_name = subject"],
        ...(extensions.length === 0 ? [] : ["req_extensions = extensions"]),
        ...["[subject]", ...subject, "[extensions]", ...extensions, ""],
    ].join("\n");
    const keyFile = join(directory.path, "key");
    const settings = join(directory.path, "settings");
    writeFileSync(settings, config);
    return execFileSync(
        "openssl",
        ["req", "-new", "-newkey", ...key, "-nodes", "-keyout", keyFile, "-config", settings],
        { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
    );
}

const joining = (node = "worker-1"): readonly string[] => [
    ...["system:bootstrappers", "system:bootstrappers:kubelab", `system:bootstrappers:kubelab:${node}`],
    "system:authenticated",
];
const ofNode = ["system:nodes", "system:authenticated"];

const byToken = (): Asked => ({ signer: CLIENT, user: TOKEN, groups: joining(), usages: AS_CLIENT, pem: request() });
const renewal = (): Asked => ({ ...byToken(), user: "system:node:worker-1", groups: ofNode });
const serving = (names = "DNS:worker-1, IP:10.240.0.21"): Asked => ({
    ...renewal(),
    signer: SERVING,
    usages: AS_SERVER,
    pem: request({ names }),
});

/** What the approver says: `approve`, why not, or `not mine`. */
function verdict(
    { signer, user, groups, usages, pem }: Asked,
    nodes: Readonly<Record<string, string>> = NODES,
): string {
    const listed = (items: readonly string[]): string => items.map((item) => `${JSON.stringify(item)} `).join("");
    const words = [signer, JSON.stringify(user), listed(groups), listed(usages), JSON.stringify(pem)];
    const { status, stdout, stderr } = bash(
        [
            PROGRAM,
            `nodes='${known(nodes)}'`,
            'if judge "$@"; then printf "%s" "${why:-approve}"; else printf "not mine"; fi',
        ].join("\n"),
        words,
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    return stdout;
}

beforeEach(() => {
    rmSync(leases, { recursive: true, force: true });
    mkdirSync(leases);
});
afterAll(directory.remove);

testWith("shellcheck")("passes shellcheck", () => {
    expect(shellcheck({ program: PROGRAM })).toBe("");
});

describe("what is approved", () => {
    testWith("openssl")("a node's first client certificate, asked for with its token", () => {
        expect(verdict(byToken())).toBe("approve");
    });
    testWith("openssl")("its renewal, asked for by the node", () => {
        expect(verdict(renewal())).toBe("approve");
    });
    testWith("openssl")("a certificate of its port, with its own name and address", () => {
        expect(verdict(serving())).toBe("approve");
    });
    testWith("openssl")("those of a node with a long name, whose request has longer lengths", () => {
        const name = `worker-${"x".repeat(45)}`;
        const names = `DNS:${name}, IP:192.168.100.200`;
        const pem = request({ subject: ["O = system:nodes", `CN = system:node:${name}`], names });
        const asked = { ...serving(), user: `system:node:${name}`, pem };
        expect(verdict(asked, { ...NODES, [name]: "192.168.100.200" })).toBe("approve");
    });
});

describe("what is denied", () => {
    const wrong = "it isn't what the kubelet of worker-1 asks for";
    const cases: Readonly<Record<string, () => [Asked, string]>> = {
        "another node's name": () => [
            { ...byToken(), pem: request({ subject: ["O = system:nodes", "CN = system:node:worker-2"] }) },
            wrong,
        ],
        "a longer name": () => [
            { ...byToken(), pem: request({ subject: ["O = system:nodes", "CN = system:node:worker-11"] }) },
            wrong,
        ],
        "another group": () => [
            { ...byToken(), pem: request({ subject: ["O = system:masters", "CN = system:node:worker-1"] }) },
            wrong,
        ],
        "one group more": () => [
            {
                ...byToken(),
                pem: request({ subject: ["0.O = system:nodes", "1.O = system:masters", "CN = system:node:worker-1"] }),
            },
            wrong,
        ],
        "no group": () => [{ ...byToken(), pem: request({ subject: ["CN = system:node:worker-1"] }) }, wrong],
        "one name more in the subject": () => [
            {
                ...byToken(),
                pem: request({ subject: ["O = system:nodes", "0.CN = system:node:worker-1", "1.CN = admin"] }),
            },
            wrong,
        ],
        "names in a client certificate": () => [{ ...byToken(), pem: request({ names: "DNS:worker-1" }) }, wrong],
        "a certificate authority": () => [
            { ...byToken(), pem: request({ extensions: ["basicConstraints = critical, CA:true"] }) },
            wrong,
        ],
        "another node's address on its port": () => [
            serving("DNS:worker-1, IP:10.240.0.22"),
            `${wrong} with the address 10.240.0.21`,
        ],
        "the API's name on its port": () => [serving("DNS:kubernetes.default.svc, IP:10.240.0.21"), wrong],
        "one name more on its port": () => [serving("DNS:worker-1, DNS:api.lab, IP:10.240.0.21"), wrong],
        "one address more on its port": () => [serving("DNS:worker-1, IP:10.240.0.21, IP:10.32.0.1"), wrong],
        "no names on its port": () => [{ ...serving(), pem: request() }, wrong],
        "an authority's extension on its port": () => [
            {
                ...serving(),
                pem: request({
                    extensions: ["subjectAltName = DNS:worker-1, IP:10.240.0.21", "basicConstraints = CA:true"],
                }),
            },
            wrong,
        ],
        "an RSA key": () => [{ ...byToken(), pem: request({ key: ["rsa:2048"] }) }, wrong],
        "a key on another curve": () => [
            { ...byToken(), pem: request({ key: ["ec", "-pkeyopt", "ec_paramgen_curve:P-384"] }) },
            wrong,
        ],
        "a second request behind the first": () => [{ ...byToken(), pem: `${request()}${request()}` }, wrong],
        "text before the request": () => [{ ...byToken(), pem: `Subject: system:node:worker-1\n${request()}` }, wrong],
        "no request": () => [{ ...byToken(), pem: "no\n" }, wrong],
        "usages of an authority": () => [
            { ...byToken(), usages: [...AS_CLIENT, "cert sign"] },
            'the usages are "digital signature" "client auth" "cert sign" ',
        ],
        "a server's usages for a client": () => [{ ...byToken(), usages: AS_SERVER }, "the usages are"],
        "a client's usages for a port": () => [{ ...serving(), usages: AS_CLIENT }, "the usages are"],
        "a port's certificate by a token": () => [
            { ...serving(), user: TOKEN, groups: joining() },
            "a token asks for a client certificate only",
        ],
        "a token that isn't kubelab's": () => [
            { ...byToken(), groups: ["system:bootstrappers", "system:authenticated"] },
            '"system:bootstrap:abcdef" is neither a node nor the token of one',
        ],
        "a token for two nodes": () => [
            {
                ...byToken(),
                groups: [...joining().slice(0, 3), "system:bootstrappers:kubelab:worker-2", "system:authenticated"],
            },
            "is neither a node nor the token of one",
        ],
        "a token of another node": () => [
            { ...byToken(), groups: joining("worker-2") },
            "it isn't what the kubelet of worker-2 asks for",
        ],
        "a node that has left": () => [
            {
                ...renewal(),
                user: "system:node:worker-3",
                pem: request({ subject: ["O = system:nodes", "CN = system:node:worker-3"] }),
            },
            "worker-3 is no node of this cluster",
        ],
        "a node whose name ends as another's": () => [
            { ...renewal(), user: "system:node:1" },
            "1 is no node of this cluster",
        ],
        "a path for a node": () => [
            { ...renewal(), user: "system:node:../nodes/worker-1" },
            "is neither a node nor the token of one",
        ],
        "another node": () => [
            { ...renewal(), user: "system:node:worker-2" },
            "it isn't what the kubelet of worker-2 asks for",
        ],
        "a node's name without its group": () => [
            { ...renewal(), groups: ["system:authenticated"] },
            "is neither a node nor the token of one",
        ],
        "a service account": () => [
            { ...renewal(), user: "system:serviceaccount:default:system:node:worker-1", groups: ofNode },
            "is neither a node nor the token of one",
        ],
        "an administrator": () => [
            { ...renewal(), user: "kubelab:admin", groups: ["kubelab:cluster-admins", "system:authenticated"] },
            "is neither a node nor the token of one",
        ],
    };
    testWith("openssl")("each of these, with the reason", () => {
        const answers = Object.entries(cases).map(([name, make]) => {
            const [asked, why] = make();
            const answer = verdict(asked);
            return [name, answer.includes(why) ? "denied" : answer] as const;
        });
        expect(Object.fromEntries(answers)).toEqual(
            Object.fromEntries(Object.keys(cases).map((name) => [name, "denied"])),
        );
    });
});

describe("what is left to others", () => {
    testWith("openssl")("requests to another signer", () => {
        const signers = ["kubernetes.io/kube-apiserver-client", "kubernetes.io/legacy-unknown", "example.com/mine"];
        expect(signers.map((signer) => verdict({ ...byToken(), signer }))).toEqual(signers.map(() => "not mine"));
    });
});

describe("the watch", () => {
    const asked = join(directory.path, "asked");

    /**
     * Lets the approver watch these requests. The API server has the nodes, and keeps Leases.
     *
     * @param answers what it does when a request is answered.
     * @param nodes what it says of them.
     */
    function watch(requests: Readonly<Record<string, Asked>>, answers = "", nodes = known()): string {
        const quoted = (items: readonly string[]): string => items.map((item) => `${JSON.stringify(item)} `).join("");
        const lines = Object.entries(requests).flatMap(([name, { signer, user, groups, usages, pem }]) => [
            ...[name, signer, JSON.stringify(user), quoted(groups), quoted(usages), JSON.stringify(pem)],
        ]);
        writeFileSync(join(directory.path, "lines"), `${lines.join("\n")}\n`);
        const programs = {
            kubectl: `cat ${directory.path}/lines`,
            curl: [
                `url="\${!#}" lease=${leases}/"\${url##*/}"`,
                'case "$* " in',
                `*configmaps/nodes\\ ) cat ${join(directory.path, "nodes")} ;;`,
                `*POST*/leases\\ ) body=$(cat); [[ $body =~ \\"name\\":\\"([^\\"]+) ]]; set -C; printf '%s' "$body" 2>/dev/null >${leases}/"\${BASH_REMATCH[1]}" || exit 22 ;;`,
                `*/leases/*) cat "$lease" || exit 22 ;;`,
                `*PATCH*) { echo "$url"; cat; } >>${asked}`,
                `${answers} ;;`,
                `*) [ ! -e ${directory.path}/answered ] || cat ${directory.path}/answered ;;`,
                "esac",
            ].join("\n"),
        };
        for (const [name, text] of Object.entries(programs)) {
            writeFileSync(join(directory.path, name), `#!/bin/bash\n${text}\n`, { mode: 0o755 });
        }
        writeFileSync(join(directory.path, "nodes"), nodes);
        rmSync(asked, { force: true });
        const { status, stdout } = bash(
            [
                `PATH=${directory.path}:$PATH API=https://127.0.0.1:6443 CACHE=/nowhere KNOWN_NODES=/configmaps/nodes`,
                PROGRAM,
                "watch || true",
            ].join("\n"),
        );
        expect(status).toBe(0);
        return stdout;
    }
    const answers = (): string[] => readFileSync(asked, "utf8").trim().split("\n");

    testWith("openssl")(
        "approves what is right, denies what is wrong, and leaves the rest; a token is good once",
        () => {
            const other = { ...byToken(), pem: request({ subject: ["O = system:nodes", "CN = system:node:cp-1"] }) };
            const printed = watch({
                "csr-1": other,
                "csr-2": byToken(),
                "csr-3": byToken(),
                "csr-4": { ...byToken(), signer: "example.com/mine" },
                "csr-5": serving(),
            });
            expect(printed.trim().split("\n")).toEqual([
                "csr-1: Denied: it isn't what the kubelet of worker-1 asks for",
                "csr-2: Approved: kube-apiserver-client-kubelet of worker-1",
                "csr-3: Denied: the token was used already",
                "csr-5: Approved: kubelet-serving of worker-1",
            ]);
            const path = "https://127.0.0.1:6443/apis/certificates.k8s.io/v1/certificatesigningrequests";
            expect(answers().slice(0, 2)).toEqual([
                `${path}/csr-1/approval`,
                '{"status":{"conditions":[{"type":"Denied","status":"True","reason":"NodeApprover","message":"it isn\'t what the kubelet of worker-1 asks for"}]}}',
            ]);
        },
    );

    testWith("openssl")("ends where an answer isn't taken, so that the next one begins with what waits", () => {
        expect(watch({ "csr-1": renewal(), "csr-2": renewal() }, "exit 22")).toBe("");
        expect(answers()).toHaveLength(2);
    });

    testWith("openssl")("lets a token's request be answered again where the answer wasn't taken", () => {
        expect(watch({ "csr-1": byToken() }, "exit 22")).toBe("");
        const printed = watch({ "csr-1": byToken(), "csr-2": byToken() });
        expect(printed.trim().split("\n")).toEqual([
            "csr-1: Approved: kube-apiserver-client-kubelet of worker-1",
            "csr-2: Denied: the token was used already",
        ]);
    });

    testWith("openssl")("goes on where the approver of another control plane has answered first", () => {
        const answered = join(directory.path, "answered");
        writeFileSync(answered, JSON.stringify({ status: { conditions: [{ type: "Approved" }] } }, undefined, 2));
        expect(watch({ "csr-1": renewal(), "csr-2": renewal() }, "exit 22")).toBe("");
        expect(answers()).toHaveLength(4);
        rmSync(answered);
    });

    testWith("openssl")("judges nothing while the API server doesn't say which nodes there are", () => {
        expect(watch({ "csr-1": renewal() }, "", '{ "kind": "Status", "code": 503 }')).toBe("");
        expect(watch({ "csr-1": renewal() }, "", '{ "kind": "Status", "code": 404 }')).toBe(
            "csr-1: Denied: worker-1 is no node of this cluster\n",
        );
    });
});
