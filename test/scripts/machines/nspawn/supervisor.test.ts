import { spawnSync } from "node:child_process";
import { nspawn, renderSettings } from "../../../../scripts/machines/nspawn/supervisor";

const settings = {
    lab: "kubenet",
    machine: "cp-1",
    machineId: "0123456789abcdef0123456789abcdef",
    addresses: ["10.240.0.11/24", "10.240.0.10/24"],
    gateway: "10.240.0.1",
    preloaded: "/var/lib/kubelab/it's here",
    cgroups: ["/sys/fs/cgroup/memory/kubelab-kubenet/machines/cp-1"],
    kernelModules: true,
};

describe("what a machine's supervisor is told", () => {
    it("are systemd-nspawn's arguments", () => {
        expect(nspawn(settings)).toMatchInlineSnapshot(`
            [
              "systemd-nspawn",
              "--quiet",
              "--boot",
              "--register=no",
              "--keep-unit",
              "--directory=/var/lib/kubelab/kubenet/cp-1/root",
              "--machine=kubenet-cp-1",
              "--hostname=cp-1",
              "--uuid=0123456789abcdef0123456789abcdef",
              "--network-namespace-path=/run/netns/kubenet-cp-1",
              "--capability=all",
              "--system-call-filter=@keyring bpf @raw-io @module",
              "--resolv-conf=off",
              "--timezone=off",
              "--link-journal=no",
              "--bind=/dev/kmsg",
              "--bind=/var/lib/kubelab/kubenet/cp-1/containerd:/var/lib/containerd",
              "--bind=/var/lib/kubelab/kubenet/cp-1/kubelet:/var/lib/kubelet",
              "--bind-ro=/lib/modules",
              "SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1",
            ]
        `);
    });

    it("leaves out kernel modules that the host doesn't have", () => {
        expect(nspawn({ ...settings, kernelModules: false }).join(" ")).not.toContain("/lib/modules");
    });

    it("comes through the shell unchanged, quotes and blanks included", () => {
        const script = `${renderSettings(settings)}
printf '%s\\n' "$OVERLAY" "\${ADDRESSES[@]}" "\${NSPAWN[0]}" "\${#NSPAWN[@]}"`;
        const { stdout } = spawnSync("bash", ["-euc", script], { encoding: "utf8" });
        expect(stdout.split("\n")).toEqual([
            "lowerdir=/var/lib/kubelab/it's here:/var/lib/kubelab/kubenet/cp-1/base,upperdir=/var/lib/kubelab/kubenet/cp-1/upper,workdir=/var/lib/kubelab/kubenet/cp-1/work",
            ...settings.addresses,
            "systemd-nspawn",
            String(nspawn(settings).length),
            "",
        ]);
    });
});
