import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { formerNames } from "../../components/former-names";
import type { RawConfig } from "../../components/cluster-spec";
import { temporaryDirectory } from "../support/bash";
import { clusterGraph } from "../support/graph";
import { testSpec } from "../support/spec";
import type { Run } from "../support/mocks";
import { knownAs, urnOf } from "../support/urns";
import { aHost } from "./machines/hosts/a-host";

jest.setTimeout(60_000);

const directory = temporaryDirectory();
const keyFile = `${directory.path}/key`;
const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";
const OFF = { scheduler: false, controllerManager: false, kubeProxy: false, dns: false };

/** A stack per file in former-names/, which has the types and names of all it had in a program of that time. */
const STACKS: Readonly<Record<string, RawConfig>> = {
    kubenet: { workers: 1 },
    flannel: { workers: 1, network: "cni", cniPlugin: "flannel" },
    "minimum-viable": { network: "bridge", workers: 0, hosting: "static-pods", components: OFF },
    relay: { workers: 1, parts: { delivery: "relay" } },
    hosts: {
        provider: "hosts",
        hosts: [
            { role: "control-plane", address: "192.168.7.11", keyFile, hostKey },
            { role: "worker", name: "rack-7", address: "192.168.7.12", keyFile, hostKey },
        ],
    },
    aws: {
        provider: "aws",
        workers: 1,
        aws: { allowedCidrs: ["203.0.113.7/32"], availabilityZones: ["eu-central-1a", "eu-central-1b"] },
    },
};

/** Certificates of processes that the stack doesn't run: they were on no machine. */
const UNUSED: Readonly<Record<string, RegExp>> = {
    "minimum-viable": /tls:.*::cp-1-kube-(scheduler|controller-manager|proxy)(-server)?$/,
};
/** Keys, with their requests and the steps that brought them: machines make their own now. */
const MADE_ON_MACHINES = [
    /\$kubelab:pki:CertificateAuthority\$tls:index\/(privateKey:PrivateKey|certRequest:CertRequest)::(?!admin-|.*-ca-key$)/,
    /::\S+-(etcd|kube-scheduler|kubelet|kube-proxy)-secrets$/,
];

/** Certificates of kubelets, which ask the cluster for theirs. */
const ASKED_FOR = /\$tls:index\/locallySignedCert:LocallySignedCert::\S+-kubelet(-server)?$/;
/** What came with that. */
const SINCE = /::\S+-(keys|kubelet-token|node-approver|drain)$/;

beforeAll(() => {
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", keyFile]);
});
afterAll(directory.remove);

describe.each(Object.keys(STACKS))("a stack %p of a program from before", (stack) => {
    const before = readFileSync(join(__dirname, "former-names", `${stack}.txt`), "utf8")
        .trim()
        .split("\n")
        .map((line) => `urn:pulumi:test::kubelab::${line}`);
    let now: Run;

    beforeAll(async () => {
        const spec = testSpec(STACKS[stack]);
        const hosts = (spec.hosts ?? []).map((host, index) => aHost(index + 1, {}, host));
        now = await clusterGraph(spec, { hosts, component: { transformations: [formerNames("test")] } });
    });

    test("goes on with everything it has: each resource is exactly one of now", () => {
        const heirs = new Map<string, string[]>();
        for (const resource of now.resources) {
            knownAs(resource, now).forEach((urn) => heirs.set(urn, [...(heirs.get(urn) ?? []), resource.urn]));
        }
        const asks = testSpec(STACKS[stack]).nodeCertificates === "bootstrap";
        const gone = [
            ...MADE_ON_MACHINES,
            ...(asks ? [ASKED_FOR] : []),
            ...(UNUSED[stack] === undefined ? [] : [UNUSED[stack]]),
        ];
        const wrong = before.filter((urn) => heirs.get(urn)?.length !== 1);
        expect(wrong.filter((urn) => !gone.some((each) => each.test(urn)))).toEqual([]);
        expect(wrong.filter((urn) => heirs.has(urn))).toEqual([]);
    });

    test("makes nothing anew but the steps that have keys made, and what certificates are asked for with", () => {
        const there = new Set(before);
        const anew = now.resources
            .filter(({ type }) => type !== "pulumi:pulumi:Stack")
            .filter((resource) => !knownAs(resource, now).some((urn) => there.has(urn)));
        expect(anew.map((resource) => urnOf(resource, now)).filter((urn) => !SINCE.test(urn))).toEqual([]);
    });

    test("has no former name that wasn't one", () => {
        const there = new Set(before);
        const aliases = now.resources.flatMap((resource) => resource.aliases);
        expect(aliases.filter((alias) => !there.has(alias))).toEqual([]);
    });
});
