import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatProblem } from "../../../components/cluster-spec";
import { stackFileProblems } from "../../../components/cluster-spec/stack-file";
import { problemsOf, refuses } from "./support";

const HOST = { role: "control-plane", address: "192.168.1.10", keyFile: "/root/key", hostKey: "ssh-ed25519 AAAA" };

refuses([
    [
        "a plugin and an overlay without the network cni",
        { cniPlugin: "flannel", overlay: "full" },
        [
            'kubelab:cniPlugin: "flannel" has no effect: the network is kubenet; remove it, or set kubelab:network to "cni"',
            'kubelab:overlay: "full" has no effect: the network is kubenet; remove it, or set kubelab:network to "cni"',
        ],
    ],
    [
        "settings of other providers, with all other mistakes",
        { hosts: [HOST], aws: { region: "eu-central-1" }, repair: { all: "now" }, workers: "-1" },
        [
            'kubelab:workers: "-1" is too small; use 0 to 1000',
            'kubelab:aws: has no effect: the provider is local; remove it, or set kubelab:provider to "aws"',
            'kubelab:hosts: has no effect: the provider is local; remove it, or set kubelab:provider to "hosts"',
        ],
    ],
    [
        "a number of workers beside a list of hosts, and what only a local lab has",
        {
            provider: "hosts",
            hosts: [HOST],
            workers: "5",
            local: { network: "10.1.0.0/24" },
            repair: { host: "now" },
        },
        [
            'kubelab:workers: "5" has no effect: kubelab:hosts decides; remove it, or list the hosts there',
            'kubelab:local: has no effect: the provider is hosts; remove it, or set kubelab:provider to "local"',
            'kubelab:repair.host: "now" has no effect: only a local lab has parts on the workstation; remove it, or name a node',
        ].map((line) => line.replace('"5"', "5")),
    ],
    [
        "what is said of parts that don't run",
        {
            components: { kubeProxy: false, dns: false },
            proxyMode: "iptables",
            flags: { "kube-proxy": { v: "4" } },
            versions: { coredns: "1.14.0", flannel: "0.28.0" },
        },
        [
            'kubelab:versions.coredns: "1.14.0" has no effect: kubelab:components.dns is false; remove it, or change that',
            'kubelab:versions.flannel: "0.28.0" has no effect: the network is kubenet; remove it, or change that',
            'kubelab:proxyMode: "iptables" has no effect: kubelab:components.kubeProxy is false; remove it, or let kube-proxy run',
            "kubelab:flags.kube-proxy: has no effect: kubelab:components.kubeProxy is false; remove it, or let it run",
        ],
    ],
    [
        "a kind of worker without workers",
        { provider: "aws", workers: 0, aws: { allowedCidrs: ["203.0.113.7/32"], workerType: "t3.large" } },
        [
            'kubelab:aws.workerType: "t3.large" has no effect: there are no workers; remove it, or set kubelab:workers to 1 or more',
        ],
    ],
]);

test("a default that is written out is no mistake, nor what Pulumi hands over for a key that isn't set", () => {
    const handed = {
        cniPlugin: "kube-router",
        overlay: "auto",
        aws: "{}",
        hosts: "[]",
        sudoPassword: "",
        workers: "2",
    };
    expect(problemsOf(handed)).toEqual([]);
});

describe("a stack file", () => {
    let directory: string;
    beforeEach(() => {
        directory = mkdtempSync(join(tmpdir(), "stack-file-"));
    });
    afterEach(() => rmSync(directory, { recursive: true }));

    const problems = (text: string): string[] => {
        writeFileSync(join(directory, "Pulumi.blue.yaml"), text);
        return stackFileProblems(directory, "blue").map(formatProblem);
    };

    test("has its settings below config, and nowhere else", () => {
        expect(problems("workers: 3\nconfig:\n    kubelab:network: cni\n")).toEqual([
            'kubelab:workers: is at the top level of Pulumi.blue.yaml, where Pulumi doesn\'t read it; move it below "config:"',
        ]);
    });

    test("has a map there, not a text or a list", () => {
        expect(problems("config: kubelab:workers=1\n")).toEqual([
            'kubelab:config: "kubelab:workers=1" is no map in Pulumi.blue.yaml; write one setting per line below "config:", like "    kubelab:workers: 1"',
        ]);
        expect(problems("config:\n    - kubelab:workers: 1\n")).toHaveLength(1);
    });

    test("has them in this project's namespace", () => {
        expect(problems("config:\n    kubelabs:workers: 3\n    aws:region: eu-central-1\n    workers: 1\n")).toEqual([
            "kubelab:workers: is kubelabs:workers in Pulumi.blue.yaml, of another project; did you mean kubelab:workers?",
        ]);
    });

    test("may have what Pulumi writes into it, or be missing", () => {
        expect(problems("encryptionsalt: v1:x\nsecretsprovider: passphrase\nconfig: {}\n")).toEqual([]);
        expect(stackFileProblems(directory, "green")).toEqual([]);
    });
});
