import { type ClusterSpec, formatProblem, type NodeSpec, type Problem } from "../../../components/cluster-spec";
import { refuseVersionSkew } from "../../../components/cluster-spec/version-rules";

/** Programs of a cluster whose versions a rollout changes, in its order on a node. */
const CONTROL_PLANE = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"] as const;
const NODE = ["containerd", "kubelet", "kube-proxy"] as const;
/** Those that a node is drained for. */
const DRAINED_FOR: readonly Program[] = ["containerd", "kubelet"];

export type Program = (typeof CONTROL_PLANE)[number] | (typeof NODE)[number];

/** The version that each program is running in; none of one that doesn't run. */
export type Running = Readonly<Partial<Record<Program, string>>>;

/** One thing that happens on a node. */
export type Action =
    | { readonly kind: "snapshot" | "move-address" | "drain" | "uncordon" }
    | { readonly kind: "replace"; readonly program: Program; readonly from: string; readonly to: string };

/** What happens on nodes at the same time, before the next ones. */
export interface Stage {
    readonly nodes: readonly { readonly name: string; readonly actions: readonly Action[] }[];
}

/** What a rollout does, in its order; nothing where all nodes have the versions of the spec. */
export function planRollout(spec: ClusterSpec, running: Readonly<Record<string, Running>>): Stage[] {
    const present = spec.nodes.filter(({ name }) => name in running);
    const [controlPlanes, workers] = (["control-plane", "worker"] as const).map((role) =>
        present.filter((node) => node.role === role),
    ) as [NodeSpec[], NodeSpec[]];
    const changing = (nodes: readonly NodeSpec[]): Stage["nodes"][number][] =>
        nodes
            .map(({ name, role }) => ({ name, actions: actionsOn(spec, role, running[name] ?? {}) }))
            .filter(({ actions }) => actions.length > 0);
    const { maxUnavailable } = spec.upgrade;
    return [...inGroups(changing(controlPlanes), 1), ...inGroups(changing(workers), maxUnavailable)];
}

function actionsOn(spec: ClusterSpec, role: NodeSpec["role"], running: Running): Action[] {
    const replace = (programs: readonly Program[]): Action[] =>
        programs.flatMap((program) => {
            const [from, to] = [running[program], versionOf(spec, program)];
            return from === undefined || from === to ? [] : [{ kind: "replace" as const, program, from, to }];
        });
    const first = role === "control-plane" ? replace(CONTROL_PLANE) : [];
    const then = replace(NODE);
    const drains = then.some((action) => action.kind === "replace" && DRAINED_FOR.includes(action.program));
    return [
        ...(first.length > 0 ? [{ kind: "snapshot" as const }] : []),
        ...(first.length > 0 && spec.highlyAvailable ? [{ kind: "move-address" as const }] : []),
        ...first,
        ...(drains ? [{ kind: "drain" as const }] : []),
        ...then,
        ...(drains ? [{ kind: "uncordon" as const }] : []),
    ];
}

function versionOf({ versions }: ClusterSpec, program: Program): string {
    return program === "etcd" || program === "containerd" ? versions[program] : versions.kubernetes;
}

function inGroups(nodes: readonly Stage["nodes"][number][], size: number): Stage[] {
    const starts = nodes.map((_, index) => index).filter((index) => index % size === 0);
    return starts.map((start) => ({ nodes: nodes.slice(start, start + size) }));
}

/** Why the cluster can't go to the versions of the spec; none where it can. */
export function refusals(spec: ClusterSpec, running: Readonly<Record<string, Running>>): string[] {
    const all = Object.values(running);
    const problems = all.flatMap(({ "kube-apiserver": kubernetes, etcd }): Problem[] =>
        refuseVersionSkew(
            {
                ...(kubernetes === undefined ? {} : { kubernetes }),
                ...(etcd === undefined ? {} : { etcd }),
            },
            spec.versions,
        ),
    );
    return [...new Set(problems.map(formatProblem))];
}

/** The plan as text, a line for each node. */
export function renderPlan(stages: readonly Stage[], { drainTimeout }: ClusterSpec["upgrade"]): string {
    if (stages.length === 0) {
        return "Every node runs the versions that the config says: nothing to upgrade.";
    }
    const lines = stages.flatMap(({ nodes }, position) =>
        nodes.flatMap(({ name, actions }, index) => [
            `${index === 0 ? `${position + 1}.`.padStart(3) : "  +"} ${name}`,
            ...actions.map((action) => `      ${renderAction(action, drainTimeout)}`),
        ]),
    );
    return lines.join("\n");
}

function renderAction(action: Action, drainTimeout: number): string {
    switch (action.kind) {
        case "snapshot":
            return "snapshot of etcd, to /var/lib/kubelab/before-rollout";
        case "move-address":
            return "the endpoint's address moves to another control plane, where it is here";
        case "drain":
            return `cordon, drain within ${drainTimeout} s`;
        case "uncordon":
            return "Ready again, uncordon";
        case "replace":
            return `${action.program} ${action.from} -> ${action.to}`;
    }
}
