import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { renderKubeconfig } from "../../../components/pki/kubeconfig";
import { temporaryDirectory, testWith } from "../../support/bash";

const ARGS = {
    cluster: "lab",
    user: "kubelab:admin",
    server: "https://10.240.0.10:6443",
    certificateAuthority: "authority\n",
    credentials: { certificate: "certificate\n", key: "key\n" },
};

test("a kubeconfig has everything inside it", () => {
    expect(parse(renderKubeconfig(ARGS))).toEqual({
        apiVersion: "v1",
        kind: "Config",
        clusters: [
            {
                name: "lab",
                cluster: { server: "https://10.240.0.10:6443", "certificate-authority-data": "YXV0aG9yaXR5Cg==" },
            },
        ],
        users: [
            {
                name: "kubelab:admin",
                user: { "client-certificate-data": "Y2VydGlmaWNhdGUK", "client-key-data": "a2V5Cg==" },
            },
        ],
        contexts: [{ name: "lab", context: { cluster: "lab", user: "kubelab:admin" } }],
        "current-context": "lab",
    });
});

test("one on a machine refers to the key that is there, and needn't change with the certificate", () => {
    const credentials = {
        certificateFile: "/etc/kubernetes/kubelet/client.crt",
        keyFile: "/etc/kubernetes/kubelet/client.key",
    };
    expect((parse(renderKubeconfig({ ...ARGS, credentials })) as { users: object[] }).users).toEqual([
        {
            name: "kubelab:admin",
            user: {
                "client-certificate": "/etc/kubernetes/kubelet/client.crt",
                "client-key": "/etc/kubernetes/kubelet/client.key",
            },
        },
    ]);
});

test("a long certificate stays on one line", () => {
    const long = renderKubeconfig({ ...ARGS, credentials: { certificate: "x".repeat(3000), key: "key\n" } });
    expect(long).toContain(`client-certificate-data: ${Buffer.from("x".repeat(3000)).toString("base64")}\n`);
});

testWith("kubectl")("kubectl reads it", () => {
    const directory = temporaryDirectory();
    try {
        const file = join(directory.path, "kubeconfig");
        writeFileSync(file, renderKubeconfig(ARGS));
        const view = [
            "config",
            "view",
            "--minify",
            "--raw",
            "-o",
            "jsonpath={.clusters[0].cluster.server} {.users[0].name}",
        ];
        const { stdout } = spawnSync("kubectl", ["--kubeconfig", file, ...view], { encoding: "utf8" });
        expect(stdout).toBe("https://10.240.0.10:6443 kubelab:admin");
    } finally {
        directory.remove();
    }
});
