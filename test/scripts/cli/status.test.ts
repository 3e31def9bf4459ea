import { isHealthy, parseStaticPods, parseUnits, renderStatus } from "../../../scripts/cli/status";

const NODE = { name: "cp-1", role: "control-plane", address: "10.240.0.11", podCidr: "10.99.0.0/24" } as const;

test("static pods are told from units, and one without a process isn't healthy", () => {
    const pods = parseStaticPods("etcd 1\nkube-apiserver 0\n");
    expect(pods).toEqual([
        { unit: "etcd (pod)", state: "active", restarts: 0 },
        { unit: "kube-apiserver (pod)", state: "inactive", restarts: 0 },
    ]);
    expect(isHealthy({ ...NODE, ready: true, units: pods.slice(0, 1) })).toBe(true);
    expect(isHealthy({ ...NODE, ready: true, units: pods })).toBe(false);
});

test("a machine without static pods has none, and units that it doesn't have are left out", () => {
    expect(parseStaticPods("")).toEqual([]);
    const text =
        "Id=etcd.service\nLoadState=loaded\nActiveState=active\nNRestarts=2\n\nId=kubenet.service\nLoadState=not-found\nActiveState=inactive\nNRestarts=0\n";
    const units = parseUnits(text);
    expect(units).toEqual([{ unit: "etcd", state: "active", restarts: 2 }]);
    expect(renderStatus("lab", "https://10.240.0.10:6443", [{ ...NODE, ready: true, units }])).toMatch(
        /etcd +active {2}restarted 2 times/,
    );
});
