import { formatProblem, refuseImmutableChange, runningCluster } from "../../../components/cluster-spec";
import type { RunningCluster } from "../../../components/cluster-spec";
import { parseClusterSpec } from "../../../components/cluster-spec";
import type { ClusterSpec } from "../../../components/cluster-spec/types";

const host = (role: string, last: number): object => ({
    role,
    address: `192.168.1.${last}`,
    keyFile: "/root/key",
    hostKey: "ssh-ed25519 AAAA",
});
const ADDRESS = { address: "192.168.1.5" };

function onHosts(count: number, apiEndpoint: object = {}, running?: RunningCluster): ClusterSpec {
    const controlPlanes = Array.from({ length: count }, (_, index) => host("control-plane", 11 + index));
    const raw = { provider: "hosts", hosts: [...controlPlanes, host("worker", 21)], apiEndpoint };
    return parseClusterSpec(raw, { stack: "test", running });
}

function onAws(controlPlanes: number, aws: object = {}, running?: RunningCluster): ClusterSpec {
    const raw = { provider: "aws", controlPlanes, aws: { allowedCidrs: ["203.0.113.7/32"], ...aws } };
    return parseClusterSpec(raw, { stack: "test", running });
}

const refused = (previous: ClusterSpec, next: ClusterSpec): string[] =>
    refuseImmutableChange(runningCluster(previous), next).map(formatProblem);

test("one control plane with an endpoint is made for several from the beginning", () => {
    const one = onHosts(1, ADDRESS);
    expect(one.highlyAvailable).toBe(true);
    expect(one.api).toMatchObject({ address: "192.168.1.5", moves: true, holders: ["192.168.1.11"] });
    const three = onHosts(3, ADDRESS, runningCluster(one));
    expect(refused(one, three)).toEqual([]);
    expect(three.api).toMatchObject({ ipAddresses: one.api.ipAddresses, dnsNames: one.api.dnsNames });
});

test("hosts that had the address, or might have had it, hear of the others for good", () => {
    const three = onHosts(3, ADDRESS);
    const back = onHosts(1, ADDRESS, runningCluster(three));
    expect(back.api.holders).toEqual(["192.168.1.11", "192.168.1.12", "192.168.1.13"]);
});

test("a load balancer of the user's own moves no address", () => {
    const { api, highlyAvailable } = onHosts(3, { loadBalancer: "lb.example" });
    expect(highlyAvailable).toBe(true);
    expect(api).toMatchObject({ moves: false, holders: [], loadBalancer: { host: "lb.example", port: 6443 } });
    expect(onHosts(3, { loadBalancer: "10.1.1.1:443" }).api.loadBalancer).toEqual({ host: "10.1.1.1", port: 443 });
});

describe("a running cluster's endpoint", () => {
    test("can be added, by itself", () => {
        expect(refused(onHosts(1), onHosts(1, ADDRESS))).toEqual([]);
        expect(refused(onHosts(1), onHosts(3, ADDRESS))).toEqual([
            "kubelab:apiEndpoint: \"192.168.1.5\" comes together with more control planes, and kubeconfigs of this cluster have the address of the only one; first run 'up' with it and one control plane, and give the new kubeconfig to whoever has one; add the others then",
        ]);
        expect(refused(onAws(1), onAws(1, { loadBalancer: true }))).toEqual([]);
        expect(refused(onAws(1), onAws(3))).toEqual([
            "kubelab:aws.loadBalancer: true comes together with more control planes, and kubeconfigs of this cluster have the address of the only one; first run 'up' with it and one control plane, and give the new kubeconfig to whoever has one; add the others then",
        ]);
    });

    test("neither goes nor becomes another one: kubeconfigs have it", () => {
        const was = "can't replace 192.168.1.5 while the cluster is running: kubeconfigs have it";
        const remedy = "set it back to 192.168.1.5, or destroy the cluster first";
        expect(refused(onHosts(1, ADDRESS), onHosts(1))).toEqual([`kubelab:apiEndpoint: ${was}; ${remedy}`]);
        const other = onHosts(1, { loadBalancer: "lb.example" });
        expect(refused(onHosts(1, ADDRESS), other)).toEqual([
            `kubelab:apiEndpoint: "lb.example:6443" ${was}; ${remedy}`,
        ]);
        expect(refused(onAws(3), onAws(1, { loadBalancer: false }))).toHaveLength(1);
    });

    test("stays a load balancer on AWS when all control planes but one have left", () => {
        const three = onAws(3);
        expect(three.aws?.loadBalancer).toBe(true);
        expect(onAws(1, {}, runningCluster(three)).aws?.loadBalancer).toBe(true);
        const one = onAws(1, { loadBalancer: true });
        expect(onAws(1, {}, runningCluster(one)).aws?.loadBalancer).toBe(true);
        expect(onAws(1).aws?.loadBalancer).toBe(false);
        expect(refused(one, onAws(3, {}, runningCluster(one)))).toEqual([]);
    });
});
