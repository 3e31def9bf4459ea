import type { RawConfig } from "../../../components/cluster-spec";
import type { Stop } from "../../../scripts/cli/tour/stop";
import { tourStops } from "../../../scripts/cli/tour/stops";
import { presetConfig } from "../../support/article";
import { testSpec } from "../../support/spec";

const PRESETS = ["kubenet", "cni", "minimum-viable", "from-scratch", "dessine-moi", "by-component"] as const;

const stopsOf = (config: RawConfig): Stop[] => tourStops(testSpec(config));
const preset = (name: string): Stop[] => stopsOf(presetConfig(name));
const at = (stops: readonly Stop[], step: string): Stop => {
    const found = stops.find((stop) => stop.step === step);
    if (found === undefined) {
        throw new Error(`no stop ${step}`);
    }
    return found;
};
const commands = ({ looks }: Stop): string => looks.map(({ command }) => command).join("\n");

test.each(PRESETS)("the tour of %s stops at each of its steps and asks only nodes that are there", (name) => {
    const spec = testSpec(presetConfig(name));
    const stops = tourStops(spec);
    expect(stops.map(({ step }) => step)).toEqual(spec.steps);
    const nodes = spec.nodes.map((node) => node.name);
    const asked = stops.flatMap(({ looks }) => looks.flatMap(({ on }) => (on === "kubectl" ? [] : [on.node])));
    expect(asked.filter((node) => !nodes.includes(node))).toEqual([]);
    expect(
        stops.filter(({ step, looks }) => looks.length === 0 && step !== "pod-cidrs").map(({ step }) => step),
    ).toEqual([]);
});

test("shows who is missing: a Deployment without controllers, a pod without a scheduler, a service without a proxy", () => {
    const stops = preset("kubenet");
    expect(at(stops, "api-server").missing).toContain("0 pods");
    expect(at(stops, "controller-manager").missing).toContain("Pending");
    expect(at(stops, "network").missing).toContain("nobody answers");
    expect(commands(at(stops, "kube-proxy"))).toContain("http://WEB");
});

test("shows two pods with one address where the nodes share a range, and where there are two", () => {
    expect(commands(at(preset("kubenet"), "bridge"))).toContain("daemonset/everywhere");
    expect(commands(at(stopsOf({ network: "bridge" }), "network"))).toContain("daemonset/everywhere");
    expect(commands(at(preset("dessine-moi"), "network"))).not.toContain("everywhere");
});

test("shows a kubelet alone that runs a pod, where the control plane's processes will be pods", () => {
    expect(commands(at(preset("minimum-viable"), "network"))).toContain("/etc/kubernetes/manifests/hello.json");
    expect(commands(at(preset("by-component"), "network"))).not.toContain("hello.json");
});

test("gives pods their node by hand where no scheduler will ever come", () => {
    expect(commands(at(preset("minimum-viable"), "api-server"))).toContain("create -f -");
    expect(commands(at(preset("by-component"), "network"))).toContain("create -f -");
});
