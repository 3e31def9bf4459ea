import type { Pod } from "../inspect/objects";
import type { Route } from "../inspect/network";
import type { Rule } from "../inspect/rules";
import { type Facts, lastSet, setAt, UNKNOWN } from "./facts";
import type { LastSet } from "./types";

/** Who put something on a machine, and when last. */
export interface Owner {
    readonly component: string;
    readonly set: LastSet;
    /** Nothing of the cluster has put it there. */
    readonly isForeign?: boolean;
}

/** What tells who set something on one machine. */
export interface Evidence {
    readonly facts: Facts;
    /** `kubenet`, `flannel`, `kube-router`, `bridge` */
    readonly podNetwork: string;
    /** Pods of this machine: the pod network's own program may be among them. */
    readonly pods: readonly Pod[];
    /** Name of a local lab, on this host. */
    readonly lab?: string;
}

/** iptables chains and tables by the component whose they are. The first that matches counts. */
const OF_CHAIN: readonly (readonly [RegExp, string])[] = [
    [/^KUBENET-/, "kubenet"],
    [/^(KUBE-ROUTER-|KUBE-POD-FW-|KUBE-NWPLCY-)/, "kube-router"],
    [/^FLANNEL-/, "flannel"],
    [/^(KUBE-KUBELET-CANARY|KUBE-FIREWALL|KUBE-MARK-DROP)$/, "kubelet"],
    [/^KUBE-/, "kube-proxy"],
    [/^CNI-/, "CNI plugin"],
    [/^DOCKER/, "Docker"],
];

/** Whose rule it is: by its chain, by the chain that it leads to, by its comment. */
export function ownerOfRule(rule: Rule, evidence: Evidence): Owner {
    const { table, chain, iptables = "", comment = "" } = rule;
    if (table === "kube-proxy") {
        return component("kube-proxy", evidence);
    }
    if (evidence.lab !== undefined && (table === `kubelab-${evidence.lab}` || comment === `kubelab-${evidence.lab}`)) {
        return { component: `kubelab, firewall of the lab ${evidence.lab}`, set: { of: "unknown: by the last `up`" } };
    }
    const target = /-[jg] (\S+)/.exec(iptables)?.[1] ?? "";
    for (const name of [chain, target]) {
        const owner = OF_CHAIN.find(([pattern]) => pattern.test(name))?.[1];
        if (owner !== undefined) {
            return component(owner, evidence);
        }
    }
    if (
        /kube-router|KUBE-ROUTER/i.test(comment) ||
        (evidence.podNetwork === "kube-router" && /KUBE|kube/.test(iptables))
    ) {
        return component("kube-router", evidence);
    }
    if (/flanneld/.test(comment)) {
        return component("flannel", evidence);
    }
    return { component: "nobody of the cluster", set: UNKNOWN, isForeign: true };
}

/**
 * Whose route it is: by the number or name of its routing protocol.
 * https://man7.org/linux/man-pages/man8/ip-route.8.html, `protocol`
 */
export function ownerOfRoute(route: Route, evidence: Evidence): Owner {
    const { protocol = "", dst } = route;
    if (protocol === "kubenet" || protocol === "75") {
        return component("kubenet", evidence);
    }
    if (evidence.podNetwork === "kube-router" && (protocol === "17" || protocol === "bgp" || protocol === "186")) {
        return component("kube-router", evidence);
    }
    if (protocol === "kernel") {
        return { component: `kernel, for the address of ${route.dev ?? "an interface"}`, set: UNKNOWN };
    }
    if (evidence.podNetwork === "flannel" && dst !== "default" && (protocol === "boot" || protocol === "")) {
        return component("flannel", evidence);
    }
    if (protocol === "static" || protocol === "dhcp" || protocol === "ra") {
        return component("systemd-networkd", evidence);
    }
    return dst === "default" && (protocol === "boot" || protocol === "")
        ? { component: "the machine's start", set: lastSet(evidence.facts["boot"], "start of the machine") }
        : { component: `unknown (protocol ${protocol || "none"})`, set: UNKNOWN };
}

/** A component of the cluster on a machine, and when it last set what it sets. */
export function component(name: string, { facts, pods }: Evidence): Owner {
    switch (name) {
        case "kubenet":
            return { component: "kubenet.service", set: lastSet(facts["kubenet"], "last message of kubenet.service") };
        case "kube-proxy":
            return { component: "kube-proxy", set: lastSet(facts["kube-proxy"], "last sync of kube-proxy") };
        case "kube-router":
        case "flannel":
            return { component: name, set: setAt(startOf(name, pods), `start of ${name}; it syncs now and then`) };
        case "systemd-networkd":
            return { component: name, set: lastSet(facts[name], `last message of ${name}`) };
        default:
            return { component: name, set: UNKNOWN };
    }
}

function startOf(app: string, pods: readonly Pod[]): string | undefined {
    const pod = pods.find(({ metadata }) => metadata.labels?.["k8s-app"] === app);
    return pod?.status.containerStatuses?.find(({ state }) => state.running !== undefined)?.state.running?.startedAt;
}
