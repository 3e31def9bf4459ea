import { cgroupLayout, cgroupsOf, labCgroups } from "../../../scripts/machines/cgroups";

const V1 = `cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0
cgroup /sys/fs/cgroup/systemd cgroup rw,name=systemd 0 0
cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0
`;
const V2 = "proc /proc proc rw 0 0\ncgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n";

describe("cgroups of a machine", () => {
    it("are in every hierarchy of a v1 host, its unified one too, systemd or not", () => {
        for (const systemd of [true, false]) {
            expect(cgroupsOf(cgroupLayout(V1, systemd), { lab: "kubenet", machine: "cp-1" })).toEqual([
                "/sys/fs/cgroup/memory/kubelab-kubenet/machines/cp-1",
                "/sys/fs/cgroup/systemd/kubelab-kubenet/machines/cp-1",
                "/sys/fs/cgroup/unified/kubelab-kubenet/machines/cp-1",
            ]);
        }
    });

    it("are one of the driver's own on a v2 host without systemd", () => {
        expect(cgroupsOf(cgroupLayout(V2, false), { lab: "kubenet" })).toEqual([
            "/sys/fs/cgroup/kubelab-kubenet/registry",
        ]);
    });

    it("are given out by systemd where it runs the only hierarchy", () => {
        const layout = cgroupLayout(V2, true);
        expect(cgroupsOf(layout, { lab: "a-b", machine: "cp-1" })).toEqual([
            "/sys/fs/cgroup/system.slice/kubelab-machine.a-b.cp-1.service",
        ]);
        expect(labCgroups(layout, "a-b")).toEqual([]);
    });

    it("can't be had where none are mounted", () => {
        expect(() => cgroupLayout("proc /proc proc rw 0 0\n", false)).toThrow("No cgroup hierarchy is mounted");
    });
});
