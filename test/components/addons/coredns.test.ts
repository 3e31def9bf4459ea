import { stringify } from "yaml";
import { corefile, corednsManifests } from "../../../components/addons/coredns";
import { testSpec } from "../../support/spec";

test("the manifests", () => {
    expect(
        corednsManifests(testSpec())
            .map((object) => stringify(object))
            .join("---\n"),
    ).toMatchSnapshot();
});

function deployment(config: Parameters<typeof testSpec>[0] = {}): Record<string, unknown> {
    const found = corednsManifests(testSpec(config)).find(({ kind }) => kind === "Deployment");
    return found?.["spec"] as Record<string, unknown>;
}

test("two replicas where there are two nodes, one on the only node", () => {
    expect([0, 1, 2, 5].map((workers) => deployment({ workers })["replicas"])).toEqual([1, 2, 2, 2]);
});

test("more workers change nothing of it", () => {
    expect(corednsManifests(testSpec({ workers: 5 }))).toEqual(corednsManifests(testSpec({ workers: 2 })));
});

test("it may read services and nothing else", () => {
    const rules = corednsManifests(testSpec()).find(({ kind }) => kind === "ClusterRole")?.["rules"];
    expect(rules).toEqual([
        { apiGroups: [""], resources: ["services", "pods", "namespaces"], verbs: ["list", "watch"] },
        { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"] },
    ]);
});

test("the image is the one that the versions name", () => {
    expect(deployment({ versions: { coredns: "1.14.1" } })).toMatchObject({
        template: { spec: { containers: [{ image: "registry.k8s.io/coredns/coredns:v1.14.1" }] } },
    });
});

test("it runs without any right that it doesn't need to open port 53", () => {
    expect(deployment()).toMatchObject({
        template: {
            spec: {
                containers: [
                    {
                        securityContext: {
                            allowPrivilegeEscalation: false,
                            readOnlyRootFilesystem: true,
                            capabilities: { add: ["NET_BIND_SERVICE"], drop: ["ALL"] },
                        },
                    },
                ],
            },
        },
    });
});

test("it answers for the cluster's domain and asks the node's own server about all others", () => {
    expect(corefile("lab.internal")).toMatch(/^ {4}kubernetes lab\.internal in-addr\.arpa ip6\.arpa \{$/m);
    expect(corefile("lab.internal")).toMatch(/^ {4}forward \. \/etc\/resolv\.conf \{$/m);
});

test("every label that something selects by is there", () => {
    const objects = corednsManifests(testSpec());
    const service = objects.find(({ kind }) => kind === "Service")?.["spec"] as { selector: object };
    expect(deployment()).toMatchObject({
        selector: { matchLabels: service.selector },
        template: { metadata: { labels: service.selector } },
    });
});
