import fc from "fast-check";
import type { Box, Item } from "../../../scripts/view/drawing/items";
import { layout } from "../../../scripts/view/drawing/layout";
import { shortened, textWidth } from "../../../scripts/view/drawing/measures";
import type { Model, Pod } from "../../../scripts/view/model";
import { exampleModel, examplePod } from "./example-model";

const find = (model: Model, id: string): Item => {
    const item = layout(model).items.find((each) => each.id === id);
    if (item === undefined) {
        throw new Error(`there is no ${id}`);
    }
    return item;
};

function isWithin(inner: Box, outer: Box): boolean {
    return (
        inner.x >= outer.x &&
        inner.y >= outer.y &&
        inner.x + inner.width <= outer.x + outer.width &&
        inner.y + inner.height <= outer.y + outer.height
    );
}

function overlap(one: Box, other: Box): boolean {
    return (
        one.x < other.x + other.width &&
        other.x < one.x + one.width &&
        one.y < other.y + other.height &&
        other.y < one.y + one.height
    );
}

/** A model of some machines with so many pods on each. */
const models = fc
    .record({ machines: fc.integer({ min: 1, max: 10 }), pods: fc.integer({ min: 0, max: 30 }) })
    .map(({ machines, pods }): Model => {
        const model = exampleModel(machines);
        const more = model.machines.flatMap(({ name }) =>
            Array.from({ length: pods }, (_, index) =>
                examplePod("default", `p${index}-on-${name}`, name, "10.99.1.9"),
            ),
        );
        return { ...model, pods: [...model.pods, ...more] };
    });

describe("the layout of a lab", () => {
    it("has everything inside the drawing, and what is on a machine in its box", () => {
        fc.assert(
            fc.property(models, (model) => {
                const { items, width, height } = layout(model);
                const all = { x: 0, y: 0, width, height };
                const outside = items.filter((item) => !isWithin(item, all));
                const strays = model.machines.flatMap(({ name }) => {
                    const box = items.find(({ id }) => id === `machine:${name}`);
                    return items
                        .filter(
                            ({ id }) => new RegExp(`^(unit|route|pod-bridge):${name}/`).test(id) && box !== undefined,
                        )
                        .filter((item) => box === undefined || !isWithin(item, box));
                });
                expect([...outside, ...strays].map(({ id }) => id)).toEqual([]);
            }),
            { numRuns: 40 },
        );
    });

    it("has nothing over anything else", () => {
        fc.assert(
            fc.property(models, (model) => {
                const apart = ["unit", "route", "pod-bridge", "pod", "service", "bridge"];
                const items = layout(model).items.filter(({ kind }) => apart.includes(kind));
                const pairs = items.flatMap((one, index) =>
                    items.slice(index + 1).flatMap((other) => (overlap(one, other) ? [`${one.id} ${other.id}`] : [])),
                );
                const boxes = layout(model).items.filter(({ kind }) => kind === "machine" || kind === "service");
                const boxPairs = boxes.flatMap((one, index) =>
                    boxes.slice(index + 1).filter((other) => overlap(one, other)),
                );
                expect({ pairs, boxes: boxPairs.map(({ id }) => id) }).toEqual({ pairs: [], boxes: [] });
            }),
            { numRuns: 40 },
        );
    });

    it("gives every item an id and a name of its own for a screen reader, with its state in words", () => {
        const { items } = layout(exampleModel(10));
        expect(new Set(items.map(({ id }) => id)).size).toBe(items.length);
        for (const { label } of items) {
            expect(label).toMatch(/\w/);
        }
        expect(find(exampleModel(), "unit:cp-1/etcd").label).toBe("unit etcd on cp-1: active, healthy");
    });

    it("is the same for the same model, and stays where it is when a state changes", () => {
        const model = exampleModel();
        const places = (of: Model): unknown[] => layout(of).items.map(({ id, x, y }) => ({ id, x, y }));
        expect(layout(model)).toEqual(layout(model));
        const machines = model.machines.map((machine) => ({
            ...machine,
            node: { health: "bad" as const, state: "NotReady", cordoned: true },
            units: machine.units.map((unit) => ({ ...unit, health: "bad" as const, state: "failed" })),
        }));
        expect(places({ ...model, machines })).toEqual(places(model));
    });

    it("shows the routes to other nodes' pods, and neither the default one nor the machine's own", () => {
        const routes = layout(exampleModel()).items.filter(({ id }) => id.startsWith("route:worker-1/"));
        expect(routes.map(({ text }) => text)).toEqual(["10.99.255.0/24 → 10.240.0.11", "10.99.2.0/24 → 10.240.0.22"]);
    });

    it("draws broken pods first where there is not room for all, and says how many are left", () => {
        const model = exampleModel();
        const many = Array.from({ length: 40 }, (_, index): Pod => {
            const pod = examplePod("default", `many-${index}`, "worker-1", `10.99.1.${index + 10}`);
            return index === 39 ? { ...pod, health: "bad", state: "CrashLoopBackOff" } : pod;
        });
        const { items, captions } = layout({ ...model, pods: many });
        expect(items.filter(({ kind }) => kind === "pod")).toHaveLength(16);
        expect(items.map(({ id }) => id)).toContain("pod:default/many-39");
        expect(captions.map(({ text }) => text)).toContain("and 24 more in the list");
    });

    it("keeps pods without a node, and those with their node's address, apart", () => {
        const model = exampleModel();
        const { node, ...homeless } = examplePod("default", "waits", "", "");
        const shared = { ...examplePod("kube-system", "kube-router-x", "worker-1", "10.240.0.21"), hostNetwork: true };
        expect(node).toBe("");
        const { captions, items } = layout({ ...model, pods: [homeless, shared] });
        expect(captions.map(({ text }) => text)).toEqual(
            expect.arrayContaining(["pods without a node", "pods with the machine's address"]),
        );
        expect(items.map(({ id }) => id)).toEqual(
            expect.arrayContaining(["pod:default/waits", "pod:kube-system/kube-router-x"]),
        );
    });

    it("leads each service to its endpoints: pods, and the machine of an API server", () => {
        expect(layout(exampleModel()).serviceLines).toEqual([
            { service: "service:default/kubernetes", target: "machine:cp-1", ready: true },
            { service: "service:default/web", target: "pod:default/web-59f7bb89cd-8d5rj", ready: true },
            { service: "service:default/web", target: "pod:default/web-59f7bb89cd-klq2m", ready: true },
            {
                service: "service:kube-system/kube-dns",
                target: "pod:kube-system/coredns-7d9c4b6f5d-x2kqp",
                ready: true,
            },
        ]);
    });

    it("shows a lab without a bridge of this host, as on AWS", () => {
        const { bridge, ...model } = exampleModel();
        expect(bridge).toBeDefined();
        expect(find(model, "bridge").text).toBe("network between the machines");
        expect(find(model, "host").text).toBe("workstation");
    });
});

test("a name that is too long keeps its beginning and its end, and gets no wider than its room", () => {
    expect(shortened("web-59f7bb89cd-8d5rj", 500)).toBe("web-59f7bb89cd-8d5rj");
    const short = shortened("coredns-7d9c4b6f5d-x2kqp", 130);
    expect(short).toMatch(/^coredns-7.*…-x2kqp$/);
    expect(textWidth(short)).toBeLessThanOrEqual(130);
});
