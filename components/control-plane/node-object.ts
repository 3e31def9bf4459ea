import type { remote } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { leaveCheck, quote, removeCheck } from "../steps/script";
import type { DeliveredParts } from "../steps/parts";
import { rolloutComment, step, type Turn } from "../steps/step";
import type { Machine, ReadyMachine } from "../machines/machine";
import { hasPodNetwork } from "../cluster-spec/bring-up";
import { asksForCertificates } from "../cluster-spec/node-certificates";
import type { ClusterSpec, NodeSpec } from "../cluster-spec/types";
import { forgetKnownNode, knowNode } from "../node-certificates/known-nodes";
import { type Joining, joiningOf } from "../node-certificates/bootstrap-token";
import { keysOfKubelet } from "../node-certificates/keys-of-kubelet";
import { awaitUpgrade, endDrain } from "./drain";
import { KUBECTL } from "./kubectl-step";

/** Seconds a node is given to become Ready, of which it may stand still for the last so many. */
const READY_DEADLINE = 300;
const STANDSTILL = 120;
/** How often it gets those again, as long as something changes: an emulated machine pulls an image for minutes. */
const EXTENSIONS = 4;
/** The taint that keeps pods off a control plane while there are workers. */
const NO_WORKLOADS = "node-role.kubernetes.io/control-plane:NoSchedule";
/** Seconds the pods of a leaving node are given to go. */
const DRAIN_DEADLINE = 60;

interface NodeObject {
    readonly apiVersion: "v1";
    readonly kind: "Node";
    readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
    readonly spec: object;
}

/** The Node object of a machine, with what its kubelet may not set on itself (KEP-279) and, for kubenet, the pod CIDR. */
export function nodeObject(spec: ClusterSpec, node: NodeSpec): NodeObject {
    return {
        apiVersion: "v1",
        kind: "Node",
        metadata: { name: node.name, labels: node.labels },
        spec: {
            ...podCidrOf(spec, node),
            ...(node.taints.length > 0 ? { taints: node.taints } : {}),
        },
    };
}

/** Nothing where the controller manager allocates it, and while all nodes have one range: once it is set it can't be changed. */
function podCidrOf({ network, steps }: ClusterSpec, { podCidr }: NodeSpec): { podCIDR?: string; podCIDRs?: string[] } {
    const early = network === "kubenet" && !steps.includes("pod-cidrs");
    return podCidr === undefined || early ? {} : { podCIDR: podCidr, podCIDRs: [podCidr] };
}

/**
 * The statements that create the Node object, or update the one that the kubelet created, and wait until the node is
 * Ready.
 *
 * @param joining how its kubelet gets its certificates, where it asks for them.
 */
export function registerNode(spec: ClusterSpec, node: NodeSpec, joining?: Joining): string[] {
    const { name } = node;
    const { metadata, spec: own } = nodeObject(spec, node);
    // One request: label by label, taint by taint, it would be a start of kubectl for each. Lists are merged by their keys.
    const patch = quote(JSON.stringify({ metadata: { labels: metadata.labels }, spec: own }));
    const mend = `${KUBECTL} patch node ${name} -p ${patch} >/dev/null`;
    return [
        `once node-${name}`,
        ...(joining?.offer ?? []),
        // Usually the kubelet has created it. If it does so right now, the object is updated anyway.
        "register() {",
        `    ${mend} 2>&1 || ${KUBECTL} create --validate=false -f - 2>/dev/null <<'NODE' || ${mend}`,
        JSON.stringify(nodeObject(spec, node)),
        "NODE",
        "}",
        `if ! register 2>/dev/null; then`,
        `    within 120 curl -sf --max-time 5 --cacert /etc/kubernetes/kube-apiserver/ca.crt https://127.0.0.1:${spec.api.port}/readyz || fail 'kube-apiserver is not ready: journalctl -u kube-apiserver'`,
        "    register",
        "fi",
        // From when the cluster had workers.
        ...(node.role === "control-plane" && node.taints.length === 0
            ? [`${KUBECTL} taint node ${name} ${NO_WORKLOADS}- >/dev/null 2>&1 || true`]
            : []),
        ...leaveCheck({ name: `node-${name}`, subject: "API", statements: differsInNode(node) }),
        // Without a pod network no node is ever Ready, and a token ends by itself.
        ...awaitUpgrade(spec, node),
        ...(hasPodNetwork(spec) ? [...waitUntilReady(name), ...(joining?.withdraw ?? [])] : []),
        ...endDrain(spec, node),
    ];
}

/** Without a pod network no node is ever Ready. */
function waitUntilReady(name: string): string[] {
    const pods = "{range .items[*]}{.metadata.name} {.status.phase} {.status.containerStatuses[*].state}";
    const conditions = '{range .status.conditions[*]}{.type}={.status} {.reason}: {.message}{"\\n"}{end}';
    return [
        `ready() { ${KUBECTL} wait --for=condition=Ready node/${name} --timeout="$1s"; }`,
        `conditions() { ${KUBECTL} get node ${name} -o 'jsonpath=${conditions}'; }`,
        `state() { { conditions; ${KUBECTL} get pods -A --field-selector spec.nodeName=${name} -o 'jsonpath=${pods}{end}'; } 2>&1 || true; }`,
        `if ! ready ${READY_DEADLINE - STANDSTILL}; then`,
        `    for ((window = 0; window <= ${EXTENSIONS}; window++)); do`,
        "        before=$(state)",
        `        if ready ${STANDSTILL}; then break; fi`,
        `        if [ $window -lt ${EXTENSIONS} ] && [ "$(state)" != "$before" ]; then continue; fi`,
        "        conditions >&2",
        `        fail "node ${name} is not Ready after $((${READY_DEADLINE} + window * ${STANDSTILL})) seconds; on it: journalctl -u kubelet"`,
        "    done",
        "fi",
    ];
}

/** Statements that print a line for each thing of the Node object that is gone or isn't what the spec says. */
function differsInNode(node: NodeSpec): string[] {
    const line = (text: string): string => `{{printf ${JSON.stringify(`node ${node.name}: ${text}\n`)}}}`;
    const labels = Object.entries(node.labels).map(
        ([key, value]) =>
            `{{if ne (printf "%v" (index .metadata.labels "${key}")) "${value}"}}${line(`label ${key}: gone or changed`)}{{end}}`,
    );
    const taints = node.taints.map(
        ({ key, effect }) =>
            `{{$there := false}}{{range .spec.taints}}{{if and (eq .key "${key}") (eq .effect "${effect}")}}{{$there = true}}{{end}}{{end}}` +
            `{{if not $there}}${line(`taint ${key}:${effect}: gone`)}{{end}}`,
    );
    const podCidr =
        node.podCidr !== undefined
            ? [`{{if ne (printf "%v" .spec.podCIDR) "${node.podCidr}"}}${line(`podCIDR: not ${node.podCidr}`)}{{end}}`]
            : [];
    const template = quote([...labels, ...taints, ...podCidr].join(""));
    return [
        "status=0",
        `answer=$(${KUBECTL} --request-timeout=5s get node ${node.name} -o go-template=${template} 2>&1) || status=$?`,
        "case $status:$answer in",
        `    0:*) printf '%s\\n' "$answer" ;;`,
        `    *NotFound*) echo "node ${node.name}: gone" ;;`,
        `    *) echo "node ${node.name}: can't be compared: the API server doesn't answer" ;;`,
        "esac",
    ];
}

/** The statements that remove a node from the cluster before its machine goes. A dead node delays this only briefly. */
export function removeNode(name: string): string[] {
    return [
        `once node-${name}`,
        `if ${KUBECTL} get node ${name} >/dev/null 2>&1; then`,
        `    ${KUBECTL} drain ${name} --ignore-daemonsets --delete-emptydir-data --force --timeout=${DRAIN_DEADLINE}s ||`,
        `        echo "kubelab: ${name}: some pods didn't go within ${DRAIN_DEADLINE} seconds" >&2`,
        `    ${KUBECTL} delete node ${name} --ignore-not-found`,
        "fi",
        // Until here its kubelet tells which of its pods have gone.
        forgetKnownNode(name),
        removeCheck(`node-${name}`),
        `forget_node_versions ${name}`,
    ];
}

/**
 * A node's membership of the cluster. It sits on the control plane and not on the node: it has to be undone (drain, removal from
 * the API) before the node's machine goes, and it goes with the control plane.
 */
export function membership(
    args: {
        readonly spec: ClusterSpec;
        readonly node: NodeSpec;
        readonly machine: Machine;
        readonly controlPlane: ReadyMachine;
        readonly run: DeliveredParts["run"];
        readonly dependsOn: readonly pulumi.Resource[];
        readonly turn: Turn;
    },
    parent: pulumi.Resource,
): remote.Command {
    const { spec, node, machine, controlPlane, run, dependsOn, turn } = args;
    const asks = asksForCertificates(spec);
    return step(
        `${node.name}-node`,
        {
            machine: controlPlane,
            repair: machine.repair,
            undo: true,
            // Known at preview while the machine stays, which its own id is not.
            triggers: [machine.vm?.id ?? machine.id],
            tellsFirstRun: true,
            script: pulumi.all([machine.id, machine.privateAddress, run]).apply(([id, address, each]) => ({
                create: [
                    `# for ${id}`,
                    ...rolloutComment(each),
                    ...(asks
                        ? [
                              `# keys: ${keysOfKubelet(spec, node.name)}`,
                              ...registerNode(spec, node, joiningOf(spec, node.name, address)),
                          ]
                        : registerNode(spec, node, { offer: knowNode(spec, node.name, address), withdraw: [] })),
                ],
                delete: removeNode(node.name),
            })),
            dependsOn: [controlPlane.ready, ...dependsOn],
            turn,
        },
        parent,
    );
}
