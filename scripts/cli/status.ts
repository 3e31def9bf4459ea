import pc from "picocolors";
import type { ClusterAccess } from "./cluster-access";
import { BACKUP_STATE } from "../../components/cluster-spec/backup";
import { EARLY_RENEWAL_DAYS } from "../../components/pki/renewal";
import { type Difference, hostDifferences, nodeDifferences } from "./differences";
import { type EtcdMember, etcdMembers, hasQuorum, renderMembers } from "./quorum";
import type { Stack, StackNode, StackOutputs } from "./stack";
import { parseSystemctlShow } from "./systemctl-show";

/** The units that make a cluster, in the order in which they build on each other. */
export const UNITS = [
    "etcd",
    "etcd-backup.timer",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "node-approver",
    "kube-apiserver-keepalived",
    "kube-apiserver-haproxy",
    "kubenet",
    "cni-config.path",
    "containerd",
    "kubelet",
    "kube-proxy",
] as const;

const STATIC_PODS_FOLLOW = "--- static pods\n";
/** Prints a line for each static pod of the machine: its name and the processes of that name. */
const STATIC_PODS = `printf -- '${STATIC_PODS_FOLLOW.replace("\n", "\\n")}'; for file in /etc/kubernetes/manifests/*.yaml; do [ ! -e "$file" ] || { name=$(basename "$file" .yaml); echo "$name $(pgrep -cx "\${name:0:15}")"; }; done`;

const CERTIFICATES_FOLLOW = "--- certificates\n";
/** Prints a line for each certificate of `up`'s that it would renew: its file and its end. */
const CERTIFICATES = `printf -- '${CERTIFICATES_FOLLOW.replace("\n", "\\n")}'; find /etc/kubernetes /etc/etcd -name '*.crt' 2>/dev/null | while read -r file; do openssl x509 -noout -checkend ${EARLY_RENEWAL_DAYS * 86400} -in "$file" >/dev/null 2>&1 || echo "$file $(openssl x509 -noout -enddate -in "$file" 2>/dev/null)"; done`;

const SNAPSHOTS_FOLLOW = "--- snapshots\n";
/** Prints what the last snapshot of etcd was, and how many seconds ago. */
const SNAPSHOTS = `printf -- '${SNAPSHOTS_FOLLOW.replace("\n", "\\n")}'; file=${BACKUP_STATE}/last; [ ! -e $file ] || echo "$(($(date +%s) - $(stat -c %Y $file))) $(cat $file)"`;

/** A part of the cluster on a node. */
export interface UnitStatus {
    /** Name of the unit, or of the static pod with ` (pod)` after it. */
    readonly unit: string;
    /** systemd's ActiveState: active, activating, failed, inactive …; a static pod is active while its process runs. */
    readonly state: string;
    /** Automatic restarts since it was last started by hand or by `up`; systemd's only. */
    readonly restarts: number;
}

/** A certificate near its end. */
export interface Expiring {
    readonly file: string;
    /** ISO 8601 date. */
    readonly ends: string;
    readonly expired: boolean;
}

export interface NodeStatus extends StackNode {
    /** The node's own report to the API server; undefined when the API has no such node or doesn't answer. */
    readonly ready: boolean | undefined;
    /** As the Node object has it. */
    readonly podCidr?: string;
    /** undefined when the machine doesn't answer. */
    readonly units: readonly UnitStatus[] | undefined;
    readonly problem?: string;
    /** Certificates that end within thirty days, or have ended. */
    readonly expiring?: readonly Expiring[];
    /** The last snapshot that its timer took of etcd, where it takes any: a line for people. */
    readonly snapshot?: string;
    /** Drift from what `up` left. */
    readonly differences: readonly Difference[];
}

export interface ClusterStatus {
    /** Drift of a local lab on this host, except its machines. */
    readonly host: readonly Difference[];
    readonly nodes: readonly NodeStatus[];
    /** Where there are several control planes. */
    readonly etcd?: readonly EtcdMember[];
    /** Flags and settings that weaken the cluster, which its config allows by name. */
    readonly insecure?: StackOutputs["insecure"];
}

/** Asks every machine for its units and its drift, and the API server for its nodes, in parallel. */
export async function clusterStatus(cluster: ClusterAccess): Promise<ClusterStatus> {
    const known = nodesOfTheApi(cluster);
    const members = etcdMembers(cluster);
    const nodes = cluster.stack.outputs().nodes.map(async (node) => {
        const differences = await nodeDifferences(cluster, node);
        const gone = differences.find(({ subject }) => subject === "machine");
        const units = gone ? { units: undefined, problem: gone.difference } : await unitsOf(cluster, node);
        return { ...node, ready: undefined, ...(await known)[node.name], ...units, differences };
    });
    const { insecure } = cluster.stack.outputs();
    const etcd = await members;
    return {
        host: await hostDifferences(cluster.stack),
        nodes: await Promise.all(nodes),
        ...(etcd.length === 0 ? {} : { etcd }),
        ...(insecure === undefined ? {} : { insecure }),
    };
}

interface ApiNode {
    readonly metadata: { readonly name: string };
    readonly spec: { readonly podCIDR?: string };
    readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** What the API knows of each node; nothing where it doesn't answer. */
async function nodesOfTheApi(
    cluster: ClusterAccess,
): Promise<Readonly<Record<string, Pick<NodeStatus, "ready" | "podCidr">>>> {
    const text = await cluster.kubectl(["get", "nodes", "--request-timeout=5s", "-o", "json"]).catch(() => "");
    const items = text === "" ? [] : (JSON.parse(text) as { readonly items: readonly ApiNode[] }).items;
    return Object.fromEntries(
        items.map(({ metadata, spec, status }) => {
            const ready = status.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") ?? false;
            return [metadata.name, { ready, ...(spec.podCIDR === undefined ? {} : { podCidr: spec.podCIDR }) }];
        }),
    );
}

async function unitsOf(
    cluster: ClusterAccess,
    node: StackNode,
): Promise<Pick<NodeStatus, "units" | "problem" | "expiring" | "snapshot">> {
    try {
        const properties = "--property=Id,LoadState,ActiveState,NRestarts";
        const command = `systemctl show ${properties} ${UNITS.join(" ")}; ${STATIC_PODS}; ${CERTIFICATES}; ${SNAPSHOTS}`;
        const [facts = "", snapshots = ""] = (await cluster.ssh(node, command, 20)).split(SNAPSHOTS_FOLLOW);
        const [text = "", certificates = ""] = facts.split(CERTIFICATES_FOLLOW);
        const snapshot = parseSnapshot(snapshots);
        const [units = "", pods = ""] = text.split(STATIC_PODS_FOLLOW);
        return {
            units: [...parseStaticPods(pods), ...parseUnits(units)],
            expiring: parseExpiring(certificates),
            ...(snapshot === undefined ? {} : { snapshot }),
        };
    } catch (error) {
        return { units: undefined, problem: error instanceof Error ? error.message : String(error) };
    }
}

/** Units that `systemctl show` knows; those that aren't on the machine are left out. */
export function parseUnits(text: string): UnitStatus[] {
    return parseSystemctlShow(text)
        .filter((unit) => unit["LoadState"] !== "not-found")
        .map((unit) => ({
            unit: (unit["Id"] ?? "").replace(/\.service$/, ""),
            state: unit["ActiveState"] ?? "unknown",
            restarts: Number(unit["NRestarts"] ?? 0),
        }));
}

/** Lines of a name and a number of processes. */
export function parseStaticPods(text: string): UnitStatus[] {
    return text
        .split("\n")
        .map((line) => line.split(" "))
        .filter((words) => words.length === 2)
        .map(([name = "", processes]) => ({
            unit: `${name} (pod)`,
            state: processes === "0" ? "inactive" : "active",
            restarts: 0,
        }));
}

/** Lines of a file and what `openssl x509 -enddate` prints of it. */
export function parseExpiring(text: string, now = new Date()): Expiring[] {
    return [...text.matchAll(/^(\S+) notAfter=(.+)$/gm)].map(([, file = "", date = ""]) => ({
        file,
        ends: new Date(date).toISOString().slice(0, 10),
        expired: new Date(date) < now,
    }));
}

/** Seconds, and what was taken then. */
export function parseSnapshot(text: string): string | undefined {
    const [, seconds, what] = /^(\d+) (.+)$/m.exec(text) ?? [];
    return what === undefined ? undefined : `${age(Number(seconds))} ago: ${what}`;
}

function age(seconds: number): string {
    const minutes = Math.round(seconds / 60);
    return minutes < 120
        ? `${minutes} min`
        : minutes < 2880
          ? `${Math.round(minutes / 60)} h`
          : `${Math.round(minutes / 1440)} days`;
}

/** Whether all nodes are Ready, all units active, and nothing differs. */
export function isHealthy({ host, nodes }: ClusterStatus): boolean {
    return host.length === 0 && nodes.every(isHealthyNode);
}

export function isHealthyNode({ ready, units, differences, expiring = [] }: NodeStatus): boolean {
    const active = units?.every(({ state }) => state === "active") === true;
    return ready === true && active && differences.length === 0 && !expiring.some(({ expired }) => expired);
}

/** A tree of the cluster: every node with its addresses, every unit with its state, drift and its remedy. */
export function renderStatus(
    stack: Stack,
    apiServer: string,
    { host, nodes, etcd = [], insecure = [] }: ClusterStatus,
): string {
    const quorum = etcd.length === 0 || hasQuorum(etcd) ? [] : withoutQuorum(stack, etcd);
    const weak = insecure.map((each) => {
        const by =
            "setting" in each
                ? `kubelab:${each.setting}: ${each.why}`
                : `${each.component} --${each.flag}: ${each.why} (kubelab:allowInsecure)`;
        return `│  ${pc.red("insecure:")} ${by}`;
    });
    const lines = [
        `${pc.bold(stack.name)}  ${apiServer}`,
        ...weak,
        ...quorum.map((line) => `│  ${line}`),
        ...host.map((each) => `│  this host  ${renderDifference(each)}`),
    ];
    nodes.forEach((node, index) => {
        const last = index === nodes.length - 1;
        const ready =
            node.ready === undefined
                ? pc.red("unknown to the API")
                : node.ready
                  ? pc.green("Ready")
                  : pc.red("NotReady");
        lines.push(
            `${last ? "└─" : "├─"} ${pc.bold(node.name.padEnd(10))} ${node.role.padEnd(14)} ${node.address.padEnd(15)} pods ${(node.podCidr ?? "none yet").padEnd(18)} ${ready}`,
        );
        const stem = last ? "  " : "│ ";
        const units = node.units?.map(renderUnit) ?? [pc.red(`does not answer: ${node.problem ?? ""}`)];
        const ending = (node.expiring ?? []).map(
            ({ file, ends, expired }) =>
                `${expired ? pc.red("expired:") : pc.yellow("expires:")} ${file} on ${ends}: '${stack.command("up")}' renews it`,
        );
        const snapshot = node.snapshot === undefined ? [] : [`last snapshot of etcd ${node.snapshot}`];
        const rows = [...units, ...snapshot, ...ending, ...node.differences.map(renderDifference)];
        rows.forEach((row, position) => {
            lines.push(`${stem} ${position === rows.length - 1 ? "└─" : "├─"} ${row}`);
        });
    });
    const broken = nodes.filter(({ differences }) => differences.length > 0).map(({ name }) => name);
    if (host.length > 0 || broken.length > 0) {
        const names = host.length > 0 ? [] : broken;
        lines.push("", `${stack.command("repair", ...names)} puts it back`);
    }
    return lines.join("\n");
}

function withoutQuorum(stack: Stack, members: readonly EtcdMember[]): string[] {
    return [
        `${pc.red("etcd has lost its quorum:")} ${renderMembers(members)}. The API can't read or write; pods and services run on.`,
        `'${stack.command("up")}' starts machines that are stopped. Where they are gone for good: '${stack.command("recover")}'.`,
    ];
}

function renderDifference({ subject, difference }: Difference): string {
    return `${pc.yellow("drift:")} ${subject}: ${difference}`;
}

function renderUnit({ unit, state, restarts }: UnitStatus): string {
    const colour = state === "active" ? pc.green : state === "activating" ? pc.yellow : pc.red;
    const again = restarts > 0 ? pc.yellow(`  restarted ${restarts} times`) : "";
    return `${unit.padEnd(30)} ${colour(state)}${again}`;
}
