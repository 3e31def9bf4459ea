import { type ApiPod, nodeFacts, podFacts, serviceFacts, sliceFacts } from "../../../scripts/view/live/api-objects";

type Status = NonNullable<ApiPod["status"]>;

const pod = (status: Status, more: Partial<ApiPod["metadata"]> = {}): ApiPod => ({
    metadata: { name: "web-1", namespace: "default", uid: "1", ...more },
    spec: { nodeName: "worker-1", containers: [{ name: "web" }] },
    status,
});
const ready = [{ type: "Ready", status: "True" }];

describe("the facts of a pod", () => {
    it.each<[string, ApiPod, string, string]>([
        ["runs and is ready", pod({ phase: "Running", conditions: ready }), "good", "Running"],
        ["runs and isn't ready", pod({ phase: "Running", conditions: [] }), "bad", "NotReady"],
        ["waits for a node", pod({ phase: "Pending" }), "moving", "Pending"],
        [
            "is being made",
            pod({
                phase: "Pending",
                containerStatuses: [{ restartCount: 0, state: { waiting: { reason: "ContainerCreating" } } }],
            }),
            ...(["moving", "ContainerCreating"] as const),
        ],
        [
            "crashes",
            pod({
                phase: "Running",
                conditions: ready,
                containerStatuses: [{ restartCount: 4, state: { waiting: { reason: "CrashLoopBackOff" } } }],
            }),
            ...(["bad", "CrashLoopBackOff"] as const),
        ],
        [
            "has an init container without an image",
            pod({
                phase: "Pending",
                initContainerStatuses: [{ restartCount: 0, state: { waiting: { reason: "ImagePullBackOff" } } }],
                containerStatuses: [{ restartCount: 0, state: { waiting: { reason: "PodInitializing" } } }],
            }),
            ...(["bad", "ImagePullBackOff"] as const),
        ],
        ["has finished", pod({ phase: "Succeeded" }), "off", "Completed"],
        ["was evicted", pod({ phase: "Failed", reason: "Evicted" }), "bad", "Evicted"],
        [
            "is being deleted",
            pod({ phase: "Running", conditions: ready }, { deletionTimestamp: "2026-11-29T03:00:00Z" }),
            ...(["moving", "Terminating"] as const),
        ],
    ])("that %s", (_, object, health, state) => {
        expect(podFacts(object)).toMatchObject({ health, state });
    });

    it("are these, and neither environment nor volumes", () => {
        const object = pod({
            phase: "Running",
            podIP: "10.99.1.2",
            conditions: ready,
            containerStatuses: [{ restartCount: 2 }],
        });
        const secret = { env: [{ name: "PASSWORD", value: "hunter2" }], name: "web" };
        const facts = podFacts({ ...object, spec: { ...object.spec, containers: [secret] } });
        expect(facts).toEqual({
            ...{ namespace: "default", name: "web-1", node: "worker-1", address: "10.99.1.2", hostNetwork: false },
            ...{ health: "good", state: "Running", restarts: 2, containers: ["web"] },
        });
    });
});

test("the facts of a node: Ready or not, cordoned or not", () => {
    const metadata = { name: "worker-1", uid: "1" };
    expect(nodeFacts({ metadata, spec: { podCIDR: "10.99.1.0/24" }, status: { conditions: ready } })).toEqual({
        ...{ name: "worker-1", ready: true, cordoned: false, podCidr: "10.99.1.0/24" },
    });
    const unknown = [{ type: "Ready", status: "Unknown" }];
    expect(nodeFacts({ metadata, spec: { unschedulable: true }, status: { conditions: unknown } })).toEqual({
        ...{ name: "worker-1", ready: false, cordoned: true },
    });
});

test("the facts of a service: ports as a person writes them", () => {
    const ports = [
        { port: 80, protocol: "TCP", targetPort: 80 },
        { port: 53, protocol: "UDP", targetPort: "dns" },
    ];
    const metadata = { name: "web", namespace: "default", uid: "1" };
    expect(serviceFacts({ metadata, spec: { clusterIP: "10.32.0.9", type: "NodePort", ports } })).toEqual({
        ...{ namespace: "default", name: "web", type: "NodePort", address: "10.32.0.9" },
        ports: ["80/TCP", "53→dns/UDP"],
    });
});

test("the facts of an endpoint slice: whose it is, its addresses and their pods", () => {
    const metadata = { name: "web-x", namespace: "default", uid: "1", labels: { "kubernetes.io/service-name": "web" } };
    const targetRef = { kind: "Pod", name: "web-1", namespace: "default" };
    expect(
        sliceFacts({
            metadata,
            endpoints: [
                { addresses: ["10.99.1.2"], conditions: { ready: true }, targetRef },
                { addresses: ["10.240.0.11"], conditions: { ready: false } },
            ],
        }),
    ).toEqual({
        ...{ namespace: "default", service: "web" },
        endpoints: [
            { address: "10.99.1.2", ready: true, pod: "default/web-1" },
            { address: "10.240.0.11", ready: false },
        ],
    });
    expect(sliceFacts({ metadata, endpoints: null }).endpoints).toEqual([]);
});
