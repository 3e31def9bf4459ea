import type { ClusterSpec } from "../../components/cluster-spec";
import type { StackNode, StackOutputs } from "../cli/stack";
import type { Needs, Place } from "./exercise";

/** Everything that an exercise makes in the API is here, where it can be. */
export const NAMESPACE = "exercise";

/** The lab that an exercise is in, as texts and scripts of exercises see it. */
export interface Scene {
    readonly outputs: Pick<StackOutputs, "nodes" | "podNetwork">;
    readonly spec: Pick<ClusterSpec, "api" | "hosting" | "serviceProxy" | "podCidr" | "serviceCidr" | "dnsIp">;
    /** What makes the machines of workers; undefined where the lab isn't this host's. */
    readonly machines: "container" | "virtual" | undefined;
}

/** Nodes of a role, in the order of their numbers. */
function nodesOf({ outputs }: Scene, role: StackNode["role"]): StackNode[] {
    return outputs.nodes.filter((node) => node.role === role);
}

/** What the lab lacks for an exercise: a line for each thing, for people. */
export function lacks(scene: Scene, needs: Needs): string[] {
    const { controlPlanes = 1, workers = 0, network, hosting, serviceProxy, machines } = needs;
    const { podNetwork } = scene.outputs;
    return [
        ...(nodesOf(scene, "control-plane").length < controlPlanes ? [`${controlPlanes} control planes`] : []),
        ...(nodesOf(scene, "worker").length < workers ? [`${workers} workers`] : []),
        ...(network !== undefined && !network.some((name) => name === podNetwork)
            ? [`the pod network ${network.join(" or ")}`]
            : []),
        ...(hosting !== undefined && scene.spec.hosting !== hosting
            ? [`a control plane of ${hosting === "systemd" ? "systemd units" : "static pods"}`]
            : []),
        ...(serviceProxy !== undefined && scene.spec.serviceProxy.worker !== serviceProxy ? ["kube-proxy"] : []),
        ...(machines !== undefined && scene.machines !== machines ? [`${MACHINES[machines]} as workers`] : []),
    ];
}

const MACHINES = { container: "containers", virtual: "virtual machines" } as const;

/** Machines of a place; none where it is the workstation. */
export function machinesAt(scene: Scene, place: Place): StackNode[] {
    const [controlPlane, otherControlPlane] = nodesOf(scene, "control-plane");
    const workers = nodesOf(scene, "worker");
    const at: Readonly<Record<Place, readonly (StackNode | undefined)[]>> = {
        workstation: [],
        "control-plane": [controlPlane],
        "other-control-plane": [otherControlPlane],
        worker: [workers[0]],
        "other-worker": [workers[1]],
        workers,
    };
    return at[place].filter((node) => node !== undefined);
}

/** What the placeholders of texts stand for, and, in capitals, the variables of scripts. */
export function factsOf(scene: Scene): Readonly<Record<string, string>> {
    const of = (name: Place): Record<string, string> => {
        const [node] = machinesAt(scene, name);
        return {
            [name]: node?.name ?? "",
            [`${name}-address`]: node?.address ?? "",
            [`${name}-pods`]: node?.podCidr ?? "",
        };
    };
    const { spec } = scene;
    return {
        namespace: NAMESPACE,
        ...of("control-plane"),
        ...of("other-control-plane"),
        ...of("worker"),
        ...of("other-worker"),
        "api-name": spec.api.name,
        "api-port": String(spec.api.port),
        "pod-cidr": spec.podCidr,
        "service-cidr": spec.serviceCidr,
        "cluster-dns": spec.dnsIp,
    };
}

/** The text with its placeholders filled in. @throws Error where there is no such fact. */
export function filled(text: string, facts: Readonly<Record<string, string>>): string {
    return text.replace(/(?<!\$)\{([a-z-]+)\}/g, (_, name: string) => {
        const fact = facts[name];
        if (fact === undefined) {
            throw new Error(`an exercise asks for {${name}}, which no lab has`);
        }
        return fact;
    });
}

/** The facts as variables of a script: `other-worker` is OTHER_WORKER. */
export function variablesOf(facts: Readonly<Record<string, string>>): Record<string, string> {
    return Object.fromEntries(
        Object.entries(facts).map(([name, value]) => [name.toUpperCase().replaceAll("-", "_"), value]),
    );
}
