import { checkAws } from "./aws";
import { refuseUnknownStop } from "./bring-up";
import { type Cidr, contains, formatCidr, overlaps, parseAddress } from "./cidr";
import { planHosts, refuseRepeatedHosts } from "./hosts";
import { localNetworkHolds, localPrefixFor } from "./local";
import { refuseBootstrap } from "./node-certificates";
import { nodeCounts } from "./node-counts";
import { nodeName, podCidrHolds, podPrefixFor } from "./nodes";
import { ROLES } from "./per-role";
import type { Problem } from "./problems";
import { refuseUnknownNewKeys, refuseUnknownRepairs } from "./repair";
import type { Config } from "./schema";
import type { RoleKernels } from "./service-proxy";
import type { Role } from "./types";
import { refuseVirtualMachines, type Workstation } from "./virtual-machines";

/** Values that are right one by one; those that weren't are missing. */
type Values = Partial<Config>;

/** What is wrong between values: each rule speaks only where all that it compares is right in itself. */
export function checkRules(config: Values, kernels: RoleKernels, workstation: Workstation): Problem[] {
    return [
        ...countsOf(config),
        ...sizes(config),
        ...overlapping(config),
        ...serviceProxy(config, kernels),
        ...pluginNeeds(config),
        ...dependants(config),
        ...refuseUnknownStop(config),
        ...refuseBootstrap(config),
        ...providerSettings(config),
        ...virtualMachines(config, workstation),
        ...repairs(config),
    ];
}

function namesOf(config: Pick<Config, "provider" | "controlPlanes" | "workers" | "hosts">): string[] {
    if (config.provider === "hosts") {
        return planHosts(config.hosts).map(({ name }) => name);
    }
    const { controlPlanes, workers } = nodeCounts(config);
    const names = (role: Role, count: number) => Array.from({ length: count }, (_, index) => nodeName(role, index + 1));
    return [...names("control-plane", controlPlanes), ...names("worker", workers)];
}

function repairs({ repair, newKeys, provider, controlPlanes, workers, hosts }: Values): Problem[] {
    const counted = provider !== undefined && controlPlanes !== undefined && workers !== undefined;
    if (!counted || hosts === undefined) {
        return [];
    }
    const names = namesOf({ provider, controlPlanes, workers, hosts });
    return [...refuseUnknownRepairs(repair ?? {}, names), ...refuseUnknownNewKeys(newKeys ?? {}, names)];
}

const EVEN = "is even, and etcd survives no more failures with an even number of members than with one fewer";

function countsOf({ provider, controlPlanes, hosts }: Values): Problem[] {
    if (provider !== "hosts") {
        const even = controlPlanes !== undefined && controlPlanes % 2 === 0;
        return even ? [{ key: "controlPlanes", value: controlPlanes, problem: EVEN, remedy: "use 1, 3 or 5" }] : [];
    }
    const listed = hosts?.filter(({ role }) => role === "control-plane").length;
    if (listed === undefined || hosts?.length === 0 || [1, 3, 5].includes(listed)) {
        return [];
    }
    const problem = `lists ${listed} control planes, and etcd needs an odd number`;
    return [{ key: "hosts", value: undefined, problem, remedy: "list 1, 3 or 5" }];
}

function sizes(config: Values): Problem[] {
    const { podCidr, serviceCidr, provider, controlPlanes, workers, hosts, local } = config;
    const problems: Problem[] = [];
    const add = (key: string, cidr: Cidr, problem: string, remedy: string) =>
        problems.push({ key, value: formatCidr(cidr), problem, remedy });

    const complete =
        provider !== undefined && controlPlanes !== undefined && workers !== undefined && hosts !== undefined;
    const counts = complete ? nodeCounts({ provider, controlPlanes, workers, hosts }) : undefined;
    if (podCidr !== undefined && podCidr.prefix < 8) {
        add("podCidr", podCidr, "is too large", "use a /8 or smaller");
    } else if (podCidr !== undefined && counts !== undefined) {
        const nodes = counts.controlPlanes + counts.workers;
        if (!podCidrHolds(podCidr, nodes)) {
            const remedy = `use a /${podPrefixFor(nodes)} or larger`;
            add("podCidr", podCidr, `is too small for ${nodes} nodes with a /24 each`, remedy);
        }
    }
    // https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/: at most 20 bits for services.
    if (serviceCidr !== undefined && serviceCidr.prefix < 12) {
        add("serviceCidr", serviceCidr, "is larger than Kubernetes takes", "use a /12 or smaller");
    } else if (serviceCidr !== undefined && serviceCidr.prefix > 28) {
        add("serviceCidr", serviceCidr, "is too small to hold the DNS service's tenth address", "use a /28 or larger");
    }
    if (
        provider === "local" &&
        local !== undefined &&
        workers !== undefined &&
        !localNetworkHolds(local.network, workers)
    ) {
        const remedy = `use a /${localPrefixFor(workers)} or larger`;
        add("local.network", local.network, `is too small for ${workers} workers beside the control planes`, remedy);
    }
    return problems;
}

function overlapping({ podCidr, serviceCidr, provider, local, aws, hosts }: Values): Problem[] {
    const network = provider === "local" ? local?.network : provider === "aws" ? aws?.network : undefined;
    const ranges: readonly (readonly [string, Cidr | undefined])[] = [
        ["podCidr", podCidr],
        ["serviceCidr", serviceCidr],
        [`${provider ?? ""}.network`, network],
    ];
    const given = ranges.filter((range): range is readonly [string, Cidr] => range[1] !== undefined);
    const pairs = given.flatMap((a, position) => given.slice(position + 1).map((b) => [a, b] as const));
    const problems = pairs
        .filter(([[, a], [, b]]) => overlaps(a, b))
        .map(([[key, cidr], [other, taken]]) => ({
            key,
            value: formatCidr(cidr),
            problem: `overlaps kubelab:${other} ${formatCidr(taken)}`,
            remedy: "give each a range of its own",
        }));
    return provider === "hosts" && hosts !== undefined ? [...problems, ...hostsInside(hosts, given)] : problems;
}

function hostsInside(hosts: Config["hosts"], ranges: readonly (readonly [string, Cidr])[]): Problem[] {
    return planHosts(hosts).flatMap(({ privateAddress }, position) => {
        const base = parseAddress(privateAddress);
        const range = ranges.find(([, cidr]) => base !== undefined && contains(cidr, { base, prefix: 32 }));
        if (range === undefined) {
            return [];
        }
        const property = hosts[position]?.privateAddress === undefined ? "address" : "privateAddress";
        const problem = `lies in kubelab:${range[0]} ${formatCidr(range[1])}`;
        const remedy = `choose a ${range[0]} that no machine is in`;
        return [{ key: `hosts[${position}].${property}`, value: privateAddress, problem, remedy }];
    });
}

function serviceProxy(config: Values, kernels: RoleKernels): Problem[] {
    const { serviceProxy: wanted, network, cniPlugin, components, provider } = config;
    if (wanted === undefined) {
        return [];
    }
    const ofRole = (key: string, role: Role, lacking: string): Problem[] => {
        const { [role]: value } = wanted;
        const refuse = (problem: string, remedy: string): Problem[] => [{ key, value, problem, remedy }];
        if (value === "kube-proxy" && components?.kubeProxy === false) {
            return refuse("is switched off by kubelab:components.kubeProxy", "remove one of the two");
        }
        if (value !== "ipvs") {
            return [];
        }
        if (network !== undefined && cniPlugin !== undefined && !(network === "cni" && cniPlugin === "kube-router")) {
            const remedy = 'set kubelab:network to "cni" and kubelab:cniPlugin to "kube-router", or use "kube-proxy"';
            return refuse("is kube-router's, which isn't the pod network", remedy);
        }
        return provider === "local" && !kernels(role)("ip_vs")
            ? refuse("needs ip_vs, which this host's kernel lacks", `use "kube-proxy", or ${lacking}`)
            : [];
    };
    if (wanted["control-plane"] === wanted.worker) {
        const lacking = (Object.values(ROLES) as Role[]).filter((role) => !kernels(role)("ip_vs"));
        const [first = "worker"] = lacking;
        return ofRole("serviceProxy", first, "a host with the ip_vs module");
    }
    return Object.entries(ROLES).flatMap(([name, role]) =>
        ofRole(`serviceProxy.${name}`, role, `virtual machines: kubelab:local.driver.${name} "qemu"`),
    );
}

/** A plugin's pods are made by the controller manager, placed by the scheduler, and get their addresses out of what the first allocates. */
function pluginNeeds({ network, components }: Values): Problem[] {
    const needed = ["controllerManager", "scheduler"] as const;
    if (network !== "cni" || components === undefined) {
        return [];
    }
    return needed
        .filter((name) => !components[name])
        .map((name) => ({
            key: `components.${name}`,
            value: false,
            problem: 'is off, and the network "cni" needs it',
            remedy: 'remove it, or set kubelab:network to "kubenet"',
        }));
}

/** Components that depend on a disabled one. */
function dependants({ components, network }: Values): Problem[] {
    if (components === undefined) {
        return [];
    }
    const { scheduler, controllerManager, kubeProxy, dns } = components;
    const problems: Problem[] = [];
    const off = (key: string, value: unknown, without: string, reason: string, remedy: string): void => {
        problems.push({
            key,
            value,
            problem: `can't do without the ${without}, which is switched off: ${reason}`,
            remedy,
        });
    };
    if (scheduler && !controllerManager) {
        const reason =
            "a new node keeps its taint not-ready until the node controller takes it away, so nothing is ever scheduled";
        off("components.scheduler", true, "controllerManager", reason, "set it to false, or controllerManager to true");
    }
    if (dns) {
        const remedy = "set it to false as well";
        if (!controllerManager) {
            off("components.dns", true, "controllerManager", "nothing makes pods of its Deployment", remedy);
        } else if (!scheduler) {
            off("components.dns", true, "scheduler", "its pods stay Pending", remedy);
        } else if (!kubeProxy && network !== "cni") {
            off(
                "components.dns",
                true,
                "kubeProxy",
                "nothing answers at its service address, nor at the API's, which it calls",
                remedy,
            );
        }
    }
    return problems;
}

function virtualMachines({ provider, local, controlPlanes, workers }: Values, workstation: Workstation): Problem[] {
    const complete = local !== undefined && controlPlanes !== undefined && workers !== undefined;
    return provider === "local" && complete
        ? refuseVirtualMachines(local, { "control-plane": controlPlanes, worker: workers }, workstation)
        : [];
}

function providerSettings(config: Values): Problem[] {
    const { provider, hosts } = config;
    if (provider === "aws") {
        return checkAws(config);
    }
    if (provider === "hosts" && hosts?.length === 0) {
        const problem = "is empty, and the provider is hosts";
        const remedy = "list every machine with its role, address, keyFile and hostKey";
        return [{ key: "hosts", value: undefined, problem, remedy }];
    }
    const needPrivate = provider === "hosts" ? (hosts ?? []) : [];
    return [
        ...(provider === "hosts" && hosts !== undefined ? refuseRepeatedHosts(planHosts(hosts)) : []),
        ...needPrivate.flatMap(({ address, privateAddress }, position) => {
            if (privateAddress !== undefined || parseAddress(address) !== undefined) {
                return [];
            }
            const problem = `is missing, and ${address} is a name`;
            const remedy = "give the IPv4 address that the other nodes reach it by";
            return [{ key: `hosts[${position}].privateAddress`, value: undefined, problem, remedy }];
        }),
    ];
}
