import { parse } from "yaml";
import { admissionConfiguration, ownPlugins } from "../../../components/control-plane/admission";
import { testSpec } from "../../support/spec";

interface Admission {
    readonly plugins: readonly { readonly name: string; readonly configuration: Record<string, unknown> }[];
}

const configurationOf = (plugin: string, config = {}): Record<string, unknown> | undefined =>
    (parse(admissionConfiguration(testSpec(config))) as Admission).plugins.find(({ name }) => name === plugin)
        ?.configuration;

test("pods get at nothing of their node, but for those of kube-system", () => {
    expect(configurationOf("PodSecurity")).toMatchObject({
        defaults: { enforce: "baseline", warn: "restricted" },
        exemptions: { namespaces: ["kube-system"] },
    });
});

test("the levels are the config's", () => {
    const { defaults } = configurationOf("PodSecurity", { podSecurity: { enforce: "restricted" } }) ?? {};
    expect(defaults).toEqual({ enforce: "restricted", warn: "restricted" });
});

test("events are limited for everybody, a namespace and a user", () => {
    const { limits } = configurationOf("EventRateLimit") as { limits: { type: string; qps: number; burst: number }[] };
    expect(limits.map(({ type }) => type)).toEqual(["Server", "Namespace", "User"]);
    expect(limits.filter(({ qps, burst }) => qps < 50 || burst < 10 * qps)).toEqual([]);
});

test("a plugin that is disabled by name isn't enabled as well", () => {
    expect(ownPlugins("EventRateLimit, Other").names).toBe("NodeRestriction,DenyServiceExternalIPs");
    expect(ownPlugins("").why).toContain("CVE-2020-8554");
});
