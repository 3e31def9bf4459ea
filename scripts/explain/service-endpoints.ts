import type { Pod, Service } from "../inspect/snapshot";
import { done, failed, type Finding, unknown } from "./explanation";
import type { Facts } from "./facts";
import { controlPlanePart, notRunning } from "./parts";
import { isPodReady } from "./pod";
import { slicesOf } from "./targets";

/** Addresses of a service's EndpointSlices that are ready. */
export function readyAddresses(facts: Facts, service: Service): string[] {
    const all = slicesOf(service, facts.snapshot).flatMap(({ endpoints }) => endpoints ?? []);
    const some = all.filter(({ conditions }) => conditions?.ready !== false).flatMap(({ addresses }) => addresses);
    return [...new Set(some)].sort();
}

/** Whether the EndpointSlices have what is ready, and the ports. */
export function slicesFound(facts: Facts, service: Service, pods: readonly Pod[]): Finding {
    const { namespace = "", name } = service.metadata;
    const slices = slicesOf(service, facts.snapshot);
    const addresses = readyAddresses(facts, service);
    const ports = slices.flatMap(({ ports: own }) => own ?? []);
    const list = {
        command: "kubectl",
        words: ["-n", namespace, "get", "endpointslices", "-l", `kubernetes.io/service-name=${name}`],
        why: "what leads to pods",
    };
    const line = `${slices.map(({ metadata }) => metadata.name).join(", ") || "none"}: ${addresses.join(", ") || "no address"}`;
    if (Object.keys(service.spec.selector ?? {}).length === 0) {
        return addresses.length > 0
            ? done(line)
            : failed([line, "spec.selector is empty"], {
                  responsible: "author",
                  nodes: [],
                  summary: "The service selects no pods, and nobody wrote an EndpointSlice for it.",
                  said: [],
                  next: [list],
              });
    }
    const ready = pods.filter((pod) => isPodReady(pod) || service.spec.publishNotReadyAddresses === true);
    const missing = ready.filter(
        ({ status, metadata }) => metadata.deletionTimestamp === undefined && !addresses.includes(status.podIP ?? ""),
    );
    const old = addresses.filter((address) => !ready.some(({ status }) => status.podIP === address));
    const state = controlPlanePart(facts, "controller manager");
    if (missing.length > 0 || old.length > 0) {
        const lacks = missing.map(
            ({ metadata, status }) => `${metadata.name} (${status.podIP ?? ""}) is ready, and not in it`,
        );
        const too = old.map((address) => `${address} is in it, and no ready pod has it`);
        const summary = state.runs
            ? "The controller manager runs, and its EndpointSlices don't have the pods that are ready."
            : "No controller manager runs that would write the service's EndpointSlices.";
        return failed(
            [line, ...lacks, ...too, ...state.evidence],
            notRunning("controller manager", state, summary, [list]),
        );
    }
    if (addresses.length > 0 && ports.every(({ port }) => port === undefined)) {
        const targets = (service.spec.ports ?? []).map(({ port, targetPort = port }) => String(targetPort)).join(", ");
        return failed([line, `no port: no container of the pods has one called ${targets}`], {
            responsible: "author",
            nodes: [],
            summary: `The service's targetPort ${targets} is the name of no port of its pods.`,
            said: [],
            next: [
                {
                    command: "kubectl",
                    words: ["-n", namespace, "get", "pods", "-o", "jsonpath={.items[*].spec.containers[*].ports}"],
                    why: "names and numbers that pods declare",
                },
            ],
        });
    }
    return done(line);
}

/** The Deployment and the Service of the cluster DNS. */
const DNS_NAMESPACE = "kube-system";
const DNS_LABEL = "kube-dns";

/** Whether somebody answers for the service's name. */
export function named(facts: Facts, { metadata }: Service): Finding | undefined {
    const ours = facts.snapshot.pods.filter(
        (pod) => pod.metadata.namespace === DNS_NAMESPACE && pod.metadata.labels?.["k8s-app"] === DNS_LABEL,
    );
    const deployment = facts.snapshot.workloads.find(
        (each) =>
            each.kind === "Deployment" &&
            each.metadata.namespace === DNS_NAMESPACE &&
            each.metadata.labels?.["k8s-app"] === DNS_LABEL,
    );
    if (metadata.name === DNS_LABEL && metadata.namespace === DNS_NAMESPACE) {
        return undefined;
    }
    const name = `${metadata.name}.${metadata.namespace}.svc`;
    if (deployment === undefined && ours.length === 0) {
        return unknown(`the cluster has no DNS: nobody knows ${name}`);
    }
    const up = ours.filter(isPodReady).length;
    if (up > 0) {
        return done(`${up} pods answer for ${name}`);
    }
    return failed([`0 of ${ours.length} DNS pods are ready`], {
        responsible: "cluster DNS",
        nodes: [],
        summary: `The service answers at its address, and nobody answers for its name ${name}: no pod of the cluster DNS is ready.`,
        said: [],
        next: [
            {
                command: "explain",
                words: ["-n", DNS_NAMESPACE, `deployment/${deployment?.metadata.name ?? "coredns"}`],
                why: "why it has no ready pod",
            },
        ],
    });
}
