import type { StackOutputs } from "../cli/stack";
import type { NodeFacts, ServiceFacts, SliceFacts } from "./live/api-objects";
import type { HostReport } from "./live/host-watch";
import type { WatchedMachine } from "./live/machine-watch";
import type { Health, Machine, Model, Pod, Service } from "./model";

/** Everything that is known of a lab at one moment, by source. */
export interface Observed {
    readonly stack: string;
    readonly outputs: Pick<StackOutputs, "nodes" | "apiServer" | "podNetwork">;
    /** By name of the machine. */
    readonly machines: Readonly<Record<string, WatchedMachine>>;
    readonly api: {
        /** Whether it has answered once. */
        readonly begun: boolean;
        readonly problem?: string;
        readonly nodes: readonly NodeFacts[];
        readonly pods: readonly Pod[];
        readonly services: readonly ServiceFacts[];
        readonly slices: readonly SliceFacts[];
    };
    /** Of a local lab with a bridge. */
    readonly host?: HostReport;
}

/** The model of a lab: machines in the order of the stack, the rest by namespace and name. */
export function buildModel({ stack, outputs, machines, api, host }: Observed): Model {
    return {
        stack,
        podNetwork: outputs.podNetwork,
        api: {
            address: outputs.apiServer,
            health: api.problem !== undefined ? "bad" : api.begun ? "good" : "unknown",
            state: api.problem ?? (api.begun ? "answers" : "not asked yet"),
        },
        ...(host === undefined
            ? {}
            : {
                  bridge: {
                      name: host.bridge.name,
                      addresses: host.bridge.addresses,
                      health: host.bridge.exists ? ("good" as const) : ("bad" as const),
                  },
              }),
        machines: outputs.nodes.map((node) => machineOf(node, machines[node.name] ?? {}, api, host)),
        pods: [...api.pods].sort(byName),
        services: api.services.map((service) => serviceOf(service, api.slices)).sort(byName),
    };
}

function byName(
    one: { readonly namespace: string; readonly name: string },
    other: { readonly namespace: string; readonly name: string },
): number {
    return one.namespace.localeCompare(other.namespace) || one.name.localeCompare(other.name);
}

function machineOf(
    node: StackOutputs["nodes"][number],
    { report, problem }: WatchedMachine,
    api: Observed["api"],
    host: HostReport | undefined,
): Machine {
    const known = api.nodes.find(({ name }) => name === node.name);
    const podCidr = known?.podCidr ?? node.podCidr;
    // What a silent machine said last is not how it is now.
    const units = (report?.units ?? []).map((unit) =>
        problem === undefined ? unit : { ...unit, health: "unknown" as const, state: "unknown" },
    );
    return {
        name: node.name,
        role: node.role,
        address: node.address,
        ...(podCidr === undefined ? {} : { podCidr }),
        health: problem !== undefined ? "bad" : report === undefined ? "unknown" : "good",
        state: problem ?? (report === undefined ? "not asked yet" : "answers"),
        node: { ...stateOfNode(known, api), cordoned: known?.cordoned ?? false },
        units,
        addresses: report?.addresses ?? [],
        bridges: report?.bridges ?? [],
        routes: report?.routes ?? [],
        ...(host === undefined ? {} : { attached: host.attached.includes(node.name) }),
    };
}

function stateOfNode(
    known: NodeFacts | undefined,
    api: Observed["api"],
): { readonly health: Health; readonly state: string } {
    if (api.problem !== undefined || !api.begun) {
        return { health: "unknown", state: "unknown" };
    }
    if (known === undefined) {
        return { health: "bad", state: "no node" };
    }
    return known.ready ? { health: "good", state: "Ready" } : { health: "bad", state: "NotReady" };
}

function serviceOf(service: ServiceFacts, slices: readonly SliceFacts[]): Service {
    const own = slices.filter((each) => each.namespace === service.namespace && each.service === service.name);
    const endpoints = own
        .flatMap((slice) => slice.endpoints)
        .sort((one, other) => one.address.localeCompare(other.address, "en", { numeric: true }));
    const ready = endpoints.filter((each) => each.ready).length;
    const state = `${ready} of ${endpoints.length} endpoint${endpoints.length === 1 ? "" : "s"} ready`;
    const health = ready === 0 ? "bad" : ready < endpoints.length ? "moving" : "good";
    return { ...service, endpoints, health, state: endpoints.length === 0 ? "no endpoints" : state };
}
