import { parseDifferences } from "../../../scripts/cli/differences";
import {
    isHealthy,
    type ClusterStatus,
    type NodeStatus,
    parseStaticPods,
    parseUnits,
    renderStatus,
} from "../../../scripts/cli/status";
import { Stack } from "../../../scripts/cli/stack";

const NODE = { name: "cp-1", role: "control-plane", address: "10.240.0.11", podCidr: "10.99.0.0/24" } as const;

/** A cluster of one node that is Ready. */
function status(
    node: Pick<NodeStatus, "units"> & Partial<NodeStatus>,
    host: ClusterStatus["host"] = [],
): ClusterStatus {
    return { host, nodes: [{ ...NODE, ready: true, differences: [], ...node }] };
}

test("static pods are told from units, and one without a process isn't healthy", () => {
    const pods = parseStaticPods("etcd 1\nkube-apiserver 0\n");
    expect(pods).toEqual([
        { unit: "etcd (pod)", state: "active", restarts: 0 },
        { unit: "kube-apiserver (pod)", state: "inactive", restarts: 0 },
    ]);
    expect(isHealthy(status({ units: pods.slice(0, 1) }))).toBe(true);
    expect(isHealthy(status({ units: pods }))).toBe(false);
});

test("a machine without static pods has none, and units that it doesn't have are left out", () => {
    expect(parseStaticPods("")).toEqual([]);
    const text =
        "Id=etcd.service\nLoadState=loaded\nActiveState=active\nNRestarts=2\n\nId=kubenet.service\nLoadState=not-found\nActiveState=inactive\nNRestarts=0\n";
    const units = parseUnits(text);
    expect(units).toEqual([{ unit: "etcd", state: "active", restarts: 2 }]);
    expect(renderStatus(new Stack("/clone", "lab"), "https://10.240.0.10:6443", status({ units }))).toMatch(
        /etcd +active {2}restarted 2 times/,
    );
});

describe("what differs", () => {
    const edited = { subject: "/etc/hosts", difference: "edited" };
    const gone = { subject: "bridge lab-lab", difference: "gone" };

    test("is shown with the node that has it and the command that puts it back, and isn't healthy", () => {
        const one = status({ units: [], differences: [edited] });
        const text = renderStatus(new Stack("/clone", "lab"), "https://10.240.0.10:6443", one);
        expect(text).toMatch(/cp-1 .*\n.* drift: \/etc\/hosts: edited\n/);
        expect(text).toMatch(/scripts\/lab repair --stack lab cp-1 puts it back$/);
        expect(isHealthy(one)).toBe(false);
    });

    test("on this host is put back with all else that differs", () => {
        const both = status({ units: [], differences: [edited] }, [gone]);
        const text = renderStatus(new Stack("/clone", "kubenet"), "https://10.240.0.10:6443", both);
        expect(text).toContain("this host  drift: bridge lab-lab: gone");
        expect(text).toMatch(/scripts\/lab repair puts it back$/);
        expect(isHealthy(status({ units: [] }, [gone]))).toBe(false);
    });

    test("is nothing where all is well", () => {
        expect(renderStatus(new Stack("/clone", "lab"), "https://10.240.0.10:6443", status({ units: [] }))).not.toMatch(
            /drift|repair/,
        );
        expect(isHealthy(status({ units: [] }))).toBe(true);
    });
});

test("what weakens the cluster, and is allowed to, is shown", () => {
    const insecure = [
        { component: "kubelet", flag: "read-only-port", why: "pods are served" },
        { setting: "podSecurity.enforce", why: "pods reach their node" },
    ];
    const text = renderStatus(new Stack("/clone", "lab"), "https://10.240.0.10:6443", {
        ...status({ units: [] }),
        insecure,
    });
    expect(text).toContain("insecure: kubelet --read-only-port: pods are served (kubelab:allowInsecure)");
    expect(text).toContain("insecure: kubelab:podSecurity.enforce: pods reach their node");
});

test("the lines of a check are a subject and a difference, which may have colons itself", () => {
    expect(parseDifferences("a.service: inactive\nAPI: node cp-1: taint x:NoSchedule: gone\n\n")).toEqual([
        { subject: "a.service", difference: "inactive" },
        { subject: "API", difference: "node cp-1: taint x:NoSchedule: gone" },
    ]);
});
