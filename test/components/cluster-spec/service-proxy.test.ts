import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { release, tmpdir } from "node:os";
import { join } from "node:path";
import { hostKernelHas, resolveServiceProxy, type RoleKernels } from "../../../components/cluster-spec/service-proxy";
import type { Role } from "../../../components/cluster-spec/types";

const CNI = { provider: "local", network: "cni", cniPlugin: "kube-router" } as const;
const yes: RoleKernels = () => () => true;
const no: RoleKernels = () => () => false;

test("auto is IPVS where kube-router is the network and this kernel has ip_vs", () => {
    expect(resolveServiceProxy(CNI, () => (module) => module === "ip_vs")).toBe("ipvs");
});

test.each([
    ["the kernel lacks ip_vs", CNI, no],
    ["only virtual machines' kernel has ip_vs", CNI, (role: Role) => () => role === "worker"],
    ["the network is kubenet", { ...CNI, network: "kubenet" }, yes],
    ["the plugin is flannel", { ...CNI, cniPlugin: "flannel" }, yes],
    ["the machines have kernels of their own", { ...CNI, provider: "aws" }, yes],
] as const)("auto is kube-proxy where %s", (_reason, cluster, kernelHas) => {
    expect(resolveServiceProxy(cluster, kernelHas)).toBe("kube-proxy");
});

describe("the kernel of a host", () => {
    let root: string;
    beforeEach(() => {
        root = `${mkdtempSync(join(tmpdir(), "kernel-"))}/`;
    });
    afterEach(() => rmSync(root, { recursive: true }));

    const modules = `lib/modules/${release()}`;
    test.each([
        ["loaded", "proc/net/ip_vs", ""],
        ["loaded with parameters", "sys/module/ip_vs/parameters", ""],
        ["built in", `${modules}/modules.builtin`, "kernel/net/netfilter/ipvs/ip_vs.ko\n"],
        ["loadable", `${modules}/modules.dep`, "kernel/net/netfilter/ipvs/ip_vs.ko.xz: kernel/lib/libcrc32c.ko.xz\n"],
    ])("has a module that is %s", (_how, path, content) => {
        mkdirSync(join(root, path, ".."), { recursive: true });
        writeFileSync(join(root, path), content);
        expect(hostKernelHas("ip_vs", root)).toBe(true);
    });

    test("lacks a module that only has a name alike", () => {
        mkdirSync(join(root, modules), { recursive: true });
        writeFileSync(join(root, modules, "modules.dep"), "kernel/net/netfilter/ipvs/ip_vs_rr.ko:\n");
        expect(hostKernelHas("ip_vs", root)).toBe(false);
    });
});
