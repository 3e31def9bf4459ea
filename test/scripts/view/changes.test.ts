import { changesSince, type Known } from "../../../scripts/view/changes";
import type { Change, Machine, Model, Unit } from "../../../scripts/view/model";
import { exampleModel, examplePod } from "./example-model";

const NOW = "2026-11-29T03:00:10.000Z";

/** The changes from one model to the next ones, in turn. */
function changesOf(...models: readonly Model[]): Change[] {
    let known: Known | undefined;
    return models.flatMap((model) => {
        const step = changesSince(known, model, NOW);
        known = step.known;
        return step.changes;
    });
}

const lines = (changes: readonly Change[]): string[] =>
    changes.map(({ time, what, from, to, health }) => `${time.slice(11, 23)} ${what}: ${from} → ${to} (${health})`);

function withMachine(model: Model, name: string, change: (machine: Machine) => Machine): Model {
    return { ...model, machines: model.machines.map((each) => (each.name === name ? change(each) : each)) };
}

function withUnit(model: Model, machine: string, unit: string, change: Partial<Unit>): Model {
    return withMachine(model, machine, (each) => ({
        ...each,
        units: each.units.map((one) => (one.name === unit ? { ...one, ...change } : one)),
    }));
}

describe("the list of changes", () => {
    it("begins with the second look", () => {
        expect(changesOf(exampleModel(), exampleModel())).toEqual([]);
    });

    it("is in the order in which things happened, by the machines' own records", () => {
        const kubelet = { state: "inactive", health: "bad", since: "2026-11-29T03:00:09.500Z" } as const;
        const proxy = { state: "failed", health: "bad", since: "2026-11-29T03:00:09.100Z" } as const;
        const broken = withUnit(
            withUnit(exampleModel(), "worker-1", "kubelet", kubelet),
            "worker-2",
            "kube-proxy",
            proxy,
        );
        const notReady = withMachine(broken, "worker-1", (machine) => ({
            ...machine,
            node: { health: "bad", state: "NotReady", cordoned: false },
        }));
        expect(lines(changesOf(exampleModel(), notReady))).toEqual([
            "03:00:09.100 kube-proxy on worker-2: active → failed (bad)",
            "03:00:09.500 kubelet on worker-1: active → inactive (bad)",
            "03:00:10.000 node worker-1: Ready → NotReady (bad)",
        ]);
    });

    it("has a pod that comes and goes, and a route that is missed", () => {
        const model = exampleModel();
        const more = { ...model, pods: [...model.pods, examplePod("default", "new", "worker-1", "10.99.1.9")] };
        const fewer = withMachine(model, "worker-1", (machine) => ({
            ...machine,
            routes: machine.routes.filter(({ destination }) => destination !== "10.99.2.0/24"),
        }));
        expect(lines(changesOf(model, more, fewer))).toEqual([
            "03:00:10.000 pod default/new: new → Running (good)",
            "03:00:10.000 route 10.99.2.0/24 on worker-1: via 10.240.0.22 → gone (bad)",
            "03:00:10.000 pod default/new: Running → gone (off)",
        ]);
    });

    it("says once that a machine or the API is silent, and not of each thing that can't be known then", () => {
        const model = exampleModel();
        const silent = withMachine(
            { ...model, api: { ...model.api, health: "bad", state: "does not answer" } },
            "worker-1",
            (machine) => ({
                ...machine,
                health: "bad",
                state: "no answer for 6 s",
                node: { health: "unknown", state: "unknown", cordoned: false },
                units: machine.units.map((unit) => ({ ...unit, health: "unknown", state: "unknown" })),
            }),
        );
        expect(lines(changesOf(model, silent, model))).toEqual([
            "03:00:10.000 machine worker-1: answers → no answer for 6 s (bad)",
            "03:00:10.000 API server: answers → does not answer (bad)",
            "03:00:10.000 machine worker-1: no answer for 6 s → answers (good)",
            "03:00:10.000 API server: does not answer → answers (good)",
        ]);
    });
});
