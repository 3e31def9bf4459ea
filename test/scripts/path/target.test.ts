import type { NetworkObjects, Pod, Protocol, Service } from "../../../scripts/inspect/objects";
import { type Known, parseDestination, parseOrigin } from "../../../scripts/path/target";

const AT = "2026-11-29T02:00:00Z";

function pod(
    name: string,
    status: Partial<Pod["status"]> = {},
    spec: Partial<Pod["spec"]> = {},
    namespace = "default",
): Pod {
    return {
        metadata: { name, namespace, creationTimestamp: AT, labels: { app: "web" } },
        spec: { nodeName: "worker-1", containers: [], ...spec },
        status: { phase: "Running", podIP: "10.99.1.2", ...status },
    };
}

function service(name: string, spec: Partial<Service["spec"]> = {}, namespace = "default"): Service {
    return {
        metadata: { name, namespace, creationTimestamp: AT },
        spec: { type: "ClusterIP", clusterIP: "10.32.0.99", selector: { app: "web" }, ports: [port(80)], ...spec },
    };
}

function port(
    number: number,
    name?: string,
    protocol: Protocol = "TCP",
): NonNullable<Service["spec"]["ports"]>[number] {
    return { port: number, targetPort: number, protocol, ...(name === undefined ? {} : { name }) };
}

function known(objects: Partial<NetworkObjects>, protocol: Protocol = "TCP"): Known {
    return {
        objects: { pods: [], services: [], endpointSlices: [], nodes: [], ...objects },
        nodes: [
            { name: "cp-1", role: "control-plane", address: "10.240.0.11" },
            { name: "worker-1", role: "worker", address: "10.240.0.21" },
        ],
        namespace: "default",
        protocol,
    };
}

const containers = (...ports: readonly number[]): Pod["spec"]["containers"] => [
    { name: "web", image: "nginx", ports: ports.map((containerPort) => ({ containerPort })) },
];

describe("FROM", () => {
    const objects = { pods: [pod("web-1"), pod("probe", { podIP: "10.99.1.3" }, {}, "tests")] };

    test("is this host, a node, a pod, or a pod of another namespace", () => {
        expect(parseOrigin("here", known(objects))).toEqual({ kind: "here" });
        expect(parseOrigin("worker-1", known(objects))).toMatchObject({ kind: "node", node: { name: "worker-1" } });
        expect(parseOrigin("web-1", known(objects))).toMatchObject({ kind: "pod", address: "10.99.1.2" });
        expect(parseOrigin("pod/web-1", known(objects))).toMatchObject({ kind: "pod", address: "10.99.1.2" });
        expect(parseOrigin("tests/probe", known(objects))).toMatchObject({ kind: "pod", address: "10.99.1.3" });
    });

    test("that isn't there is refused with names that are near", () => {
        expect(() => parseOrigin("wbe-1", known(objects))).toThrow(
            'There is no pod default/wbe-1 and no node "wbe-1" to begin at. Did you mean web-1?',
        );
        expect(() => parseOrigin("worker-2", known(objects))).toThrow("Did you mean worker-1?");
        expect(() => parseOrigin("prob", known(objects))).toThrow("Did you mean tests/probe?");
        expect(() => parseOrigin("zzzzzzzzz", known(objects))).toThrow(/to begin at\.$/);
    });

    test("that is no pod of its own network, or does not run, is refused with what to do", () => {
        const pods = [
            pod("proxy", { podIP: "10.240.0.21" }, { hostNetwork: true }),
            pod("waits", {
                phase: "Pending",
                conditions: [{ type: "PodScheduled", status: "False", reason: "Unschedulable" }],
            }),
            pod("done", { phase: "Succeeded" }),
            pod("elsewhere", {}, { nodeName: "gone-1" }),
        ];
        expect(() => parseOrigin("proxy", known({ pods }))).toThrow("begin at worker-1");
        expect(() => parseOrigin("waits", known({ pods }))).toThrow("isn't running: Pending (Unschedulable)");
        expect(() => parseOrigin("done", known({ pods }))).toThrow("isn't running: Succeeded");
        expect(() => parseOrigin("elsewhere", known({ pods }))).toThrow("is on gone-1, which is no machine");
    });
});

describe("TO", () => {
    test("is a service with its only port, a number or a name of one", () => {
        const objects = {
            services: [service("web"), service("two", { ports: [port(80, "http"), port(53, "dns", "UDP")] })],
        };
        expect(parseDestination("web", known(objects))).toMatchObject({ kind: "service", port: 80, protocol: "TCP" });
        expect(parseDestination("two:dns", known(objects))).toMatchObject({ port: 53, protocol: "UDP" });
        expect(parseDestination("service/two:80", known(objects))).toMatchObject({ port: 80, protocol: "TCP" });
        expect(parseDestination("10.32.0.99:80", known({ services: [service("web")] }))).toMatchObject({
            kind: "service",
            service: { metadata: { name: "web" } },
        });
    });

    test("of a service without that port, or with several and none named, lists them", () => {
        const services = [service("two", { ports: [port(80, "http"), port(443, "https")] })];
        expect(() => parseDestination("two", known({ services }))).toThrow(
            "The service default/two has several ports: say which, as NAME:PORT. Ports: 80 (http)/TCP, 443 (https)/TCP.",
        );
        expect(() => parseDestination("two:8080", known({ services }))).toThrow(
            "has no port 8080. Ports: 80 (http)/TCP",
        );
    });

    test("takes the protocol that is asked for where a service has two ports of one number", () => {
        const services = [service("dns", { ports: [port(53, "dns", "UDP"), port(53, "dns-tcp")] })];
        expect(parseDestination("dns:53", known({ services }, "UDP"))).toMatchObject({ protocol: "UDP" });
        expect(parseDestination("dns:53", known({ services }))).toMatchObject({ protocol: "TCP" });
    });

    test("that has no address of its own is refused with what has", () => {
        const objects = {
            pods: [pod("web-1"), pod("web-2")],
            services: [
                service("headless", { clusterIP: "None" }),
                service("away", { type: "ExternalName", externalName: "example.org", clusterIP: "" }),
                service("sctp", { ports: [port(7, "sctp", "SCTP")] }),
            ],
        };
        expect(() => parseDestination("headless", known(objects))).toThrow("is headless: it has no address");
        expect(() => parseDestination("headless", known(objects))).toThrow("one of them: web-1, web-2");
        expect(() => parseDestination("away", known(objects))).toThrow("is a name for example.org");
        expect(() => parseDestination("sctp", known(objects))).toThrow("that port is SCTP");
    });

    test("is a pod with the port that it declares, or any other by number", () => {
        const pods = [
            pod("one", {}, { containers: containers(8080) }),
            pod("none"),
            pod("many", {}, { containers: containers(1, 2) }),
        ];
        expect(parseDestination("one", known({ pods }))).toMatchObject({ kind: "pod", port: 8080 });
        expect(parseDestination("one:9999", known({ pods }))).toMatchObject({ port: 9999 });
        expect(() => parseDestination("none", known({ pods }))).toThrow("declares no port");
        expect(() => parseDestination("many", known({ pods }))).toThrow("Ports: 1/TCP, 2/TCP");
    });

    test("that names a pod and a service is asked back", () => {
        const objects = { pods: [pod("web")], services: [service("web")] };
        expect(() => parseDestination("web:80", known(objects))).toThrow("say pod/web or service/web");
        expect(parseDestination("service/web", known(objects))).toMatchObject({ kind: "service" });
    });

    test("is a DNS name where there is a dot, with the port of the service that it names", () => {
        const objects = { services: [service("web", {}, "shop")] };
        expect(parseDestination("web.shop", known(objects))).toEqual({
            kind: "name",
            name: "web.shop",
            port: 80,
            protocol: "TCP",
        });
        expect(parseDestination("dns/localhost:1", known(objects))).toMatchObject({
            kind: "name",
            name: "localhost",
            port: 1,
        });
        expect(() => parseDestination("example.org", known(objects))).toThrow("Which port of example.org?");
    });

    test("is an address or a node, with a port", () => {
        expect(parseDestination("10.240.0.21:30080", known({}))).toMatchObject({ kind: "node", port: 30080 });
        expect(parseDestination("worker-1:22", known({}))).toMatchObject({ kind: "node", address: "10.240.0.21" });
        expect(parseDestination("192.0.2.7:443", known({}))).toMatchObject({ kind: "address", port: 443 });
        expect(() => parseDestination("worker-1", known({}))).toThrow("Say it as worker-1:PORT.");
        expect(() => parseDestination("worker-1:70000", known({}))).toThrow('"70000" is no port');
        expect(() => parseDestination("10.240.0.300:1", known({}))).toThrow("is no IPv4 address");
        expect(() => parseDestination("fe80::1", known({}))).toThrow("There is no IPv6");
    });

    test("that isn't there is refused with names that are near", () => {
        const objects = { pods: [pod("web-6b8c")], services: [service("webshop")] };
        expect(() => parseDestination("websop", known(objects))).toThrow(
            "There is no pod, service or node default/websop. Did you mean webshop?",
        );
        expect(() => parseDestination("service/web-6b8", known(objects))).toThrow(
            /^There is no service default\/web-6b8\. For/,
        );
    });
});
