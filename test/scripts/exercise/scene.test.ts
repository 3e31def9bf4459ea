import { factsOf, filled, lacks, machinesAt, variablesOf } from "../../../scripts/exercise/scene";
import { scene } from "../../support/exercise-scene";

test("a lab has what an exercise needs, or its lacks are named", () => {
    expect(lacks(scene(), { workers: 2, network: ["kubenet"], machines: "container" })).toEqual([]);
    expect(
        lacks(scene({ workers: 1 }), {
            controlPlanes: 3,
            workers: 2,
            network: ["kube-router"],
            hosting: "static-pods",
            machines: "virtual",
        }),
    ).toEqual([
        "3 control planes",
        "2 workers",
        "the pod network kube-router",
        "a control plane of static pods",
        "virtual machines as workers",
    ]);
    expect(lacks(scene({ network: "cni", workers: 1 }), { network: ["kube-router", "flannel"] })).toEqual([]);
});

test("places are nodes in the order of their numbers", () => {
    const names = (place: Parameters<typeof machinesAt>[1]): string[] =>
        machinesAt(scene(), place).map(({ name }) => name);
    expect(names("workers")).toEqual(["worker-1", "worker-2"]);
    expect(names("other-worker")).toEqual(["worker-2"]);
    expect(names("other-control-plane")).toEqual([]);
    expect(names("workstation")).toEqual([]);
});

test("texts get facts, scripts get them as variables", () => {
    const facts = factsOf(scene());
    expect(filled("{worker} has {worker-pods}, {namespace}", facts)).toBe("worker-1 has 10.99.1.0/24, exercise");
    expect(filled("'{\"spec\":{}}' ${name} {{.x}}", facts)).toBe("'{\"spec\":{}}' ${name} {{.x}}");
    expect(() => filled("{nobody}", facts)).toThrow(/\{nobody\}/);
    expect(variablesOf(facts)).toMatchObject({ OTHER_WORKER_ADDRESS: "10.240.0.22", CLUSTER_DNS: "10.32.0.10" });
});
