import { setAllConfig } from "@pulumi/pulumi/runtime/config";
import { formatProblem, InvalidConfig, parseClusterSpec, readConfig } from "../../../components/cluster-spec";
import { clusterGraph, remoteSteps } from "../../support/graph";
import { withoutSecrets, isSecret } from "../../support/secrets";
import { VERSIONS } from "../../support/spec";

jest.setTimeout(60_000);

const SECRET = "correct-horse-battery";
const specOf = (raw: object, secretKeys: readonly string[], hosting = "systemd") =>
    parseClusterSpec({ hosting, workers: 1, ...raw }, { stack: "test", pinnedVersions: VERSIONS, secretKeys });

test("a key that is a secret in the config is told to be one", () => {
    setAllConfig({ "kubelab:flags": "{}", "kubelab:workers": "2" }, ["kubelab:flags"]);
    expect(readConfig().secretKeys).toEqual(["flags"]);
});

test.each(["systemd", "static-pods"])("a secret flag is in secrets alone, with hosting %s", async (hosting) => {
    const flags = { "kube-apiserver": { "audit-webhook-batch-throttle-qps": SECRET }, kubelet: { v: SECRET } };
    const graph = await clusterGraph(specOf({ flags }, ["flags"], hosting));
    const carrying = remoteSteps(graph).filter(({ inputs }) => JSON.stringify(inputs).includes(SECRET));
    expect(carrying.map(({ name }) => name).sort()).toEqual([
        "cp-1-kube-apiserver",
        "cp-1-kubelet",
        "worker-1-kubelet",
    ]);
    expect(carrying.filter(({ inputs }) => !isSecret(inputs["stdin"]) || inputs["logging"] !== "none")).toEqual([]);
    for (const { name, inputs } of graph.resources) {
        expect([name, JSON.stringify(withoutSecrets(inputs)).includes(SECRET)]).toEqual([name, false]);
    }
    expect(JSON.stringify(graph.outputs)).not.toContain(SECRET);
    expect(JSON.stringify([...graph.componentOutputs.values()])).not.toContain(SECRET);
});

test("flags that aren't secrets stay readable in a preview", async () => {
    const graph = await clusterGraph(specOf({ flags: { kubelet: { v: "4" } } }, []));
    expect(
        remoteSteps(graph).filter(({ name, inputs }) => name === "cp-1-kubelet" && isSecret(inputs["stdin"])),
    ).toEqual([]);
});

test("a message about a secret doesn't repeat it, and other secrets are refused: they would be in the clear", () => {
    const wrong = { flags: { kubelet: { config: SECRET } }, clusterDomain: "My Domain" };
    expect(() => specOf(wrong, ["flags", "clusterDomain"])).toThrow(InvalidConfig);
    try {
        specOf(wrong, ["flags", "clusterDomain"]);
    } catch (error) {
        const lines = (error as InvalidConfig).problems.map(formatProblem);
        expect(lines.join("\n")).not.toContain(SECRET);
        expect(lines).toContain(
            "kubelab:clusterDomain: is a secret in the config, and would be in the clear in the state, in names or addresses; set it without --secret",
        );
        expect(lines.some((line) => line.startsWith("kubelab:flags.kubelet.config: can't be set"))).toBe(true);
    }
});
