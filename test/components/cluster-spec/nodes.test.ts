import fc from "fast-check";
import { type Cidr, contains, overlaps, parseAddress, parseCidr } from "../../../components/cluster-spec/cidr";
import { localNetworkHolds, localPrefixFor, planLocal } from "../../../components/cluster-spec/local";
import { planNodes, podCidrHolds, podPrefixFor, withPodCidr } from "../../../components/cluster-spec/nodes";

const read = (text: string): Cidr => parseCidr(text) as Cidr;
const counts = fc.record({ controlPlanes: fc.constantFrom(1, 3, 5), workers: fc.nat(40) });

const DRIVER = { "control-plane": "nspawn", worker: "qemu" } as const;
const VM = { cpus: 2, memory: 2048, disk: 20, accelerator: "auto" } as const;

test("every node has a pod CIDR of its own inside the cluster's", () => {
    fc.assert(
        fc.property(counts, ({ controlPlanes, workers }) => {
            const cluster: Cidr = { ...read("10.0.0.0/8"), prefix: podPrefixFor(controlPlanes + workers) };
            const ranges = planNodes(cluster, controlPlanes, workers).map((node) => read(withPodCidr(node).podCidr));
            expect(new Set(ranges.map(({ base }) => base)).size).toBe(controlPlanes + workers);
            expect(ranges.every((range) => contains(cluster, range))).toBe(true);
        }),
        { numRuns: 30 },
    );
});

test("the suggested pod CIDR holds the nodes, and one that is half of it doesn't", () => {
    fc.assert(
        fc.property(fc.integer({ min: 1, max: 1005 }), (nodes) => {
            const prefix = podPrefixFor(nodes);
            expect(podCidrHolds({ base: 0, prefix }, nodes)).toBe(true);
            expect(podCidrHolds({ base: 0, prefix: prefix + 1 }, nodes)).toBe(false);
        }),
    );
});

test("a node that is added changes no other node", () => {
    fc.assert(
        fc.property(counts, fc.integer({ min: 1, max: 20 }), ({ controlPlanes, workers }, more) => {
            fc.pre(workers > 0);
            const cluster = read("10.99.0.0/16");
            const before = planNodes(cluster, controlPlanes, workers);
            const after = planNodes(cluster, controlPlanes, workers + more);
            expect(after).toEqual(expect.arrayContaining(before));
            expect(planNodes(cluster, 5, workers)).toEqual(expect.arrayContaining(before));
        }),
        { numRuns: 30 },
    );
});

test("local machines, the API and the bridge have addresses of their own inside the network", () => {
    fc.assert(
        fc.property(counts, ({ controlPlanes, workers }) => {
            const settings = {
                ...{
                    registryPort: 5000,
                    preloadParts: true,
                    driver: DRIVER,
                    virtual: [],
                    networking: "bridge" as const,
                },
                ...VM,
            };
            const network: Cidr = { ...read("10.240.0.0/16"), prefix: localPrefixFor(workers) };
            const nodes = planNodes(read("10.99.0.0/16"), controlPlanes, workers);
            const local = planLocal(network, settings, nodes);
            const addresses = [local.gateway, local.apiAddress, ...Object.values(local.addresses)];
            const broadcast = network.base + 2 ** (32 - network.prefix) - 1;
            expect(new Set(addresses).size).toBe(nodes.length + 2);
            for (const address of addresses.map((text) => parseAddress(text) ?? NaN)) {
                expect(overlaps(network, { base: address, prefix: 32 })).toBe(true);
                expect([network.base, broadcast]).not.toContain(address);
            }
        }),
        { numRuns: 30 },
    );
});

test("the suggested local network holds the workers, and one that is half of it doesn't", () => {
    fc.assert(
        fc.property(fc.integer({ min: 0, max: 1000 }), (workers) => {
            const prefix = localPrefixFor(workers);
            expect(localNetworkHolds({ base: 0, prefix }, workers)).toBe(true);
            expect(localNetworkHolds({ base: 0, prefix: prefix + 1 }, workers)).toBe(false);
        }),
    );
});
