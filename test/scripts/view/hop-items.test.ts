import type { Hop } from "../../../scripts/path/types";
import { itemOfHop } from "../../../scripts/view/hop-items";
import { exampleModel } from "./example-model";

const hop = (machine: string, place: Hop["place"], name: string, component = "kernel"): Hop => ({
    ...{
        leg: "connection",
        direction: "request",
        machine,
        place,
        name,
        what: "",
        component,
        set: { of: "" },
        seen: true,
    },
});

test.each<[string, Hop, string]>([
    ["a pod", hop("worker-1", "pod", "default/web-59f7bb89cd-8d5rj"), "pod:default/web-59f7bb89cd-8d5rj"],
    ["a pair of interfaces", hop("worker-1", "veth", "veth9cef16cf"), "pod-bridge:worker-1/cbr0"],
    ["a bridge", hop("worker-1", "bridge", "cbr0"), "pod-bridge:worker-1/cbr0"],
    ["a rule of kube-proxy", hop("worker-1", "rule", "nat-prerouting", "kube-proxy"), "unit:worker-1/kube-proxy"],
    ["a rule of a unit", hop("worker-1", "rule", "FORWARD", "kubenet.service"), "unit:worker-1/kubenet"],
    ["a rule of the kernel", hop("worker-1", "rule", "connection tracking"), "machine:worker-1"],
    ["a route", hop("worker-1", "route", "10.99.2.0/24 via 10.240.0.22"), "route:worker-1/10.99.2.0/24"],
    ["an interface", hop("worker-2", "interface", "host0"), "interface:worker-2"],
    ["the lab's bridge", hop("here", "host-bridge", "lab-kubenet"), "bridge"],
    ["a process here", hop("here", "process", "kubectl"), "host"],
    ["what is beyond", hop("outside", "outside", "8.8.8.8"), "host"],
])("a hop at %s is at its item", (_, at, item) => {
    expect(itemOfHop(at, exampleModel())).toBe(item);
});

test("a hop on a machine that is not in the model is nowhere", () => {
    expect(itemOfHop(hop("worker-9", "route", "default"), exampleModel())).toBeUndefined();
});
