import type { StackNode } from "../cli/stack";
import type { NetworkObjects, Pod, Protocol, Service, ServicePort } from "../inspect/objects";
import { suggestNames } from "../inspect/near-names";
import { UserError } from "../support/errors";
import { type NamedPort, onePort, requiredPort, usable } from "./ports";

/** Where a packet begins. */
export type Origin =
    | { readonly kind: "here" }
    | { readonly kind: "node"; readonly node: StackNode }
    | { readonly kind: "pod"; readonly pod: Pod; readonly address: string; readonly node: StackNode };

/** Where a packet goes. */
export type Destination = { readonly port: number; readonly protocol: Protocol } & (
    | { readonly kind: "pod"; readonly pod: Pod; readonly address: string }
    | {
          readonly kind: "service";
          readonly service: Service;
          readonly servicePort: ServicePort;
          readonly address: string;
      }
    | { readonly kind: "node"; readonly node: StackNode; readonly address: string }
    | { readonly kind: "address"; readonly address: string }
    | { readonly kind: "name"; readonly name: string }
);

/** What FROM and TO are looked up in. */
export interface Known {
    readonly objects: NetworkObjects;
    readonly nodes: readonly StackNode[];
    /** For names without one. */
    readonly namespace: string;
    readonly protocol: Protocol;
}

/** @param text `here`, a node, or `[pod/]NAME` or `NAMESPACE/NAME` of a pod. @throws UserError for what isn't there or can't send. */
export function parseOrigin(text: string, known: Known): Origin {
    if (text === "here") {
        return { kind: "here" };
    }
    const { kind, namespace, name } = parseName(text, known.namespace);
    const node = known.nodes.find((each) => each.name === name);
    if (node !== undefined && (kind === undefined || kind === "node") && !text.replace(/^node\//, "").includes("/")) {
        return { kind: "node", node };
    }
    const pod = kind === "node" ? undefined : findPod(known, namespace, name);
    if (pod === undefined) {
        throw new UserError(
            `There is no pod ${namespace}/${name} and no node "${name}" to begin at.${suggestNames(name, [
                ...podNames(known, namespace),
                ...known.nodes.map((each) => each.name),
                "here",
            ])}`,
        );
    }
    const address = runningAddress(pod);
    if (pod.spec.hostNetwork === true) {
        throw new UserError(
            `${title(pod)} has no network of its own, but that of its node: begin at ${pod.spec.nodeName ?? "the node"}.`,
        );
    }
    const on = known.nodes.find((each) => each.name === pod.spec.nodeName);
    if (on === undefined) {
        throw new UserError(
            `${title(pod)} is on ${pod.spec.nodeName ?? "no node"}, which is no machine of this stack.`,
        );
    }
    return { kind: "pod", pod, address, node: on };
}

/**
 * @param text `[pod/|service/|node/|dns/]NAME[:PORT]`, `NAMESPACE/NAME[:PORT]` or `ADDRESS[:PORT]`; PORT is a number, or the name of a
 * port of a service or pod. A name with a dot that is no object is a DNS name.
 * @throws UserError for what isn't there, and where the port is missing or none.
 */
export function parseDestination(text: string, known: Known): Destination {
    const [, target = text, portText] = /^(.*?)(?::([^:]*))?$/.exec(text) ?? [];
    if (target.includes(":")) {
        throw new UserError(`"${text}" is no IPv4 address, name or name:port. There is no IPv6 in these clusters.`);
    }
    if (/^\d+(\.\d+){3}$/.test(target)) {
        return atAddress(target, portText, known);
    }
    const { kind, namespace, name } = parseName(target, known.namespace);
    const pod = kind === undefined || kind === "pod" ? findPod(known, namespace, name) : undefined;
    const service = kind === undefined || kind === "service" ? findService(known, namespace, name) : undefined;
    if (pod !== undefined && service !== undefined) {
        throw new UserError(`${namespace}/${name} is a pod and a service: say pod/${name} or service/${name}.`);
    }
    if (pod !== undefined) {
        return toPod(pod, portText, known);
    }
    if (service !== undefined) {
        return toService(service, portText, known);
    }
    const node = known.nodes.find((each) => each.name === target || (kind === "node" && each.name === name));
    if (node !== undefined) {
        const port = requiredPort(node.name, portText);
        return { kind: "node", node, address: node.address, port, protocol: known.protocol };
    }
    if (kind === "dns" || (kind === undefined && !target.includes("/") && target.includes("."))) {
        const dns = target.replace(/^dns\//, "");
        return {
            kind: "name",
            name: dns,
            port: portOfName(dns, portText, known),
            protocol: protocolOfName(dns, portText, known),
        };
    }
    throw new UserError(
        `There is no ${kind ?? "pod, service or node"} ${kind === "node" ? name : `${namespace}/${name}`}.${suggestNames(
            name,
            [
                ...(kind === "service" || kind === "node" ? [] : podNames(known, namespace)),
                ...(kind === "pod" || kind === "node" ? [] : serviceNames(known, namespace)),
                ...(kind === undefined || kind === "node" ? known.nodes.map((each) => each.name) : []),
            ],
        )} For a DNS name without a dot, say dns/${name}.`,
    );
}

function atAddress(address: string, portText: string | undefined, known: Known): Destination {
    if (address.split(".").some((part) => Number(part) > 255)) {
        throw new UserError(`"${address}" is no IPv4 address.`);
    }
    const { services, pods } = known.objects;
    const service = services.find(({ spec }) => spec.clusterIP === address);
    if (service !== undefined) {
        return toService(service, portText, known);
    }
    // Pods on their nodes' network have the nodes' addresses.
    const pod = pods.find(
        ({ spec, status }) => status.podIP === address && spec.hostNetwork !== true && status.phase === "Running",
    );
    if (pod !== undefined) {
        return toPod(pod, portText, known);
    }
    const port = requiredPort(address, portText);
    const node = known.nodes.find((each) => each.address === address);
    const { protocol } = known;
    return node === undefined
        ? { kind: "address", address, port, protocol }
        : { kind: "node", node, address, port, protocol };
}

function toPod(pod: Pod, portText: string | undefined, known: Known): Destination {
    const address = runningAddress(pod);
    const declared = pod.spec.containers.flatMap(({ ports = [] }) => ports);
    const ports = declared.map(({ name, containerPort, protocol = "TCP" }) => ({
        name,
        port: containerPort,
        protocol,
    }));
    if (portText !== undefined && /^\d+$/.test(portText)) {
        const port = requiredPort(title(pod), portText);
        // A pod may listen on ports that it does not declare.
        const protocol = ports.find((each) => each.port === port)?.protocol ?? known.protocol;
        return { kind: "pod", pod, address, port, protocol: usable(protocol, title(pod)) };
    }
    const { port, protocol } = onePort(title(pod), portText, ports);
    return { kind: "pod", pod, address, port, protocol: usable(protocol, title(pod)) };
}

function toService(service: Service, portText: string | undefined, known: Known): Destination {
    const { namespace = "", name } = service.metadata;
    const what = `The service ${namespace}/${name}`;
    const { type, clusterIP, externalName, ports = [] } = service.spec;
    if (type === "ExternalName") {
        throw new UserError(
            `${what} is a name for ${externalName ?? "another"} and has no address: ask for dns/${name}.${namespace}.svc.`,
        );
    }
    if (clusterIP === undefined || clusterIP === "None" || clusterIP === "") {
        const selected = podsOf(service, known).map(({ metadata }) => metadata.name);
        throw new UserError(
            `${what} is headless: it has no address, and DNS answers with those of its pods. Ask for one of them${
                selected.length === 0 ? ", of which there is none" : `: ${selected.join(", ")}`
            }, or for dns/${name}.${namespace}.svc.`,
        );
    }
    const own = ports.map(({ name: portName, port, protocol }) => ({ name: portName, port, protocol }));
    const found = onePort(what, portText, own, known.protocol);
    const servicePort = ports.find(({ port, protocol }) => port === found.port && protocol === found.protocol);
    if (servicePort === undefined) {
        throw new UserError(`${what} has no port ${found.port}.`);
    }
    const protocol = usable(found.protocol, what);
    return { kind: "service", service, servicePort, address: clusterIP, port: found.port, protocol };
}

/** The service that a DNS name of the cluster names, as far as the name alone says. */
export function serviceOfName(name: string, { objects, namespace }: Known): Service | undefined {
    const [first = "", second = namespace, svc = "svc"] = name.replace(/\.$/, "").split(".");
    return svc === "svc"
        ? objects.services.find(({ metadata }) => metadata.name === first && metadata.namespace === second)
        : undefined;
}

function namedPort(name: string, text: string | undefined, known: Known): NamedPort | undefined {
    const service = serviceOfName(name, known);
    if (service === undefined || (text !== undefined && /^\d+$/.test(text))) {
        return undefined;
    }
    return onePort(`The service of ${name}`, text, service.spec.ports ?? [], known.protocol);
}

function portOfName(name: string, text: string | undefined, known: Known): number {
    return namedPort(name, text, known)?.port ?? requiredPort(name, text);
}

function protocolOfName(name: string, text: string | undefined, known: Known): Protocol {
    return usable(namedPort(name, text, known)?.protocol ?? known.protocol, name);
}

function parseName(
    text: string,
    fallback: string,
): {
    readonly kind: "pod" | "service" | "node" | "dns" | undefined;
    readonly namespace: string;
    readonly name: string;
} {
    const words = text.split("/");
    const KINDS = {
        pod: "pod",
        pods: "pod",
        po: "pod",
        service: "service",
        services: "service",
        svc: "service",
    } as const;
    const OTHERS = { node: "node", nodes: "node", dns: "dns" } as const;
    const [first = ""] = words;
    const kind = { ...KINDS, ...OTHERS }[first as keyof typeof KINDS | keyof typeof OTHERS] as
        "pod" | "service" | "node" | "dns" | undefined;
    const rest = kind === undefined || words.length < 2 ? words : words.slice(1);
    if (rest.length > 2 || rest.some((word) => word === "")) {
        throw new UserError(
            `"${text}" is no name: say NAME, NAMESPACE/NAME, pod/NAME, service/NAME, node/NAME or dns/NAME.`,
        );
    }
    const [namespace = fallback, name = ""] = rest.length === 2 ? rest : [fallback, rest[0]];
    return { kind: words.length < 2 ? undefined : kind, namespace, name };
}

function findPod({ objects }: Known, namespace: string, name: string): Pod | undefined {
    return objects.pods.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name);
}

function findService({ objects }: Known, namespace: string, name: string): Service | undefined {
    return objects.services.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name);
}

function podsOf({ metadata, spec }: Service, { objects }: Known): Pod[] {
    const selector = Object.entries(spec.selector ?? {});
    return objects.pods.filter(
        (pod) =>
            selector.length > 0 &&
            pod.metadata.namespace === metadata.namespace &&
            selector.every(([key, value]) => pod.metadata.labels?.[key] === value),
    );
}

/** @throws UserError for a pod that has no address, or no longer runs. */
function runningAddress(pod: Pod): string {
    const { phase, podIP } = pod.status;
    if (phase !== "Running" || podIP === undefined) {
        const waits = pod.status.conditions?.find(({ status, reason }) => status === "False" && reason !== undefined);
        throw new UserError(
            `${title(pod)} isn't running: ${phase}${waits?.reason === undefined ? "" : ` (${waits.reason})`}. ` +
                `See 'scripts/lab kubectl -n ${pod.metadata.namespace ?? ""} describe pod ${pod.metadata.name}'.`,
        );
    }
    return podIP;
}

function title({ metadata }: Pod): string {
    return `The pod ${metadata.namespace ?? ""}/${metadata.name}`;
}

function podNames({ objects }: Known, namespace: string): string[] {
    return names(objects.pods, namespace);
}

function serviceNames({ objects }: Known, namespace: string): string[] {
    return names(objects.services, namespace);
}

/** Names as one writes them from a namespace. */
function names(objects: readonly (Pod | Service)[], namespace: string): string[] {
    return objects.map(({ metadata }) =>
        metadata.namespace === namespace ? metadata.name : `${metadata.namespace ?? ""}/${metadata.name}`,
    );
}
