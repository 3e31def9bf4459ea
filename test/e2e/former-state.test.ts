import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { Lab, story } from "../support/lab";

/** One node that came up by version 0.1 under the Pulumi CLI; its passphrase is `kubelab`, and its stack has this test's name. */
const FIXTURE = join(__dirname, "../fixtures/state-of-0.1.json.gz");

story("a stack of version 0.1", () => {
    let lab: Lab;
    beforeAll(() => {
        lab = new Lab("former", "10.247.0.0/24");
        lab.configure({ name: "former", network: "bridge", proxyMode: "iptables", workers: 0 });
        mkdirSync(dirname(lab.stateFile), { recursive: true, mode: 0o700 });
        writeFileSync(lab.stateFile, gunzipSync(readFileSync(FIXTURE)), { mode: 0o600 });
    });
    afterAll(() => {
        // Its machine is gone long since, so that there is nothing to take down.
        rmSync(lab.stateFile, { force: true });
        lab.remove();
    }, 120_000);

    it("goes on under the names of today: no machine, step or object is made anew or deleted, but for keys", () => {
        const { code, stdout, stderr } = lab.run("up", ["--preview", "--verbose"], 300, {
            PULUMI_CONFIG_PASSPHRASE: "kubelab",
        });
        expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
        const changed = (sign: string): string[] =>
            [...stdout.matchAll(/^([+~±-]) (\S+) (\S+) /gm)]
                .filter(([, is]) => is === sign)
                .map(([, , name, type]) => `${type} ${name}`)
                .sort();
        // Since then nodes are drained before their programs change, machines make their own keys, and somebody approves certificates.
        expect(changed("+")).toEqual([
            ...["drain", "keys", "kubelet-token", "node-approver"].map((name) => `command:Command former-cp-1-${name}`),
            "kubelab:NodeApprover former-cp-1-node-approver",
            "tls:LocallySignedCert former-cp-1-node-approver",
        ]);
        // Another certificate for each key that a machine makes, and the former keys go, and those of kubelets with their certificates.
        const certificates = changed("±");
        expect(certificates.length).toBeGreaterThan(10);
        expect(certificates.filter((each) => !each.startsWith("tls:LocallySignedCert "))).toEqual([]);
        const madeHere = /^tls:(PrivateKey|CertRequest) \S+-(key|request)$/;
        const brought = /^command:Command \S+-(etcd|kube-scheduler|kubelet|kube-proxy)-secrets$/;
        const issued = ["kubelet", "kubelet-server"].map((name) => `tls:LocallySignedCert cp-1-${name}`);
        expect(changed("-").filter((each) => !madeHere.test(each) && !brought.test(each))).toEqual(issued);
        const keys = changed("-").filter((each) => madeHere.test(each));
        expect(keys).toHaveLength(2 * (certificates.length + issued.length));
        expect(changed("~").filter((each) => !each.startsWith("command:"))).toEqual([]);
    }, 300_000);
});
