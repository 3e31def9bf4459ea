import { quote } from "../../../components/steps/script";
import { UserError } from "../../support/errors";
import type { ClusterAccess } from "../cluster-access";
import { memberScript } from "../etcd/member-script";
import type { StackNode } from "../stack";

export interface Snapshot {
    readonly snapshot: Buffer;
    readonly revision: number;
    readonly keys: number;
}

const SCRIPT = memberScript("backup/etcd.sh");
const TIMEOUT_SECONDS = 900;

/** A snapshot of what etcd has on a control plane. @throws UserError with what etcdctl said where there is none. */
export async function takeSnapshot(cluster: ClusterAccess, node: StackNode): Promise<Snapshot> {
    const ran = await cluster.tryAsRoot(node, `${SCRIPT}\ntake_snapshot\n`, TIMEOUT_SECONDS);
    const [status = "", data = ""] = ran.stdout.trim().split("\n");
    if (ran.code !== 0 || data === "") {
        throw new UserError(`${node.name} gave no snapshot of etcd: ${ran.stderr.trim() || `exit ${ran.code}`}`);
    }
    const { revision, totalKey } = JSON.parse(status) as { readonly revision: number; readonly totalKey: number };
    return { snapshot: Buffer.from(data, "base64"), revision, keys: totalKey };
}

/**
 * Puts a snapshot in the place of etcd's data on a control plane, and restarts what is of the control plane there. The former data stay in
 * /var/lib/kubelab/etcd-before-restore, and come back where the API server doesn't get ready.
 *
 * @throws UserError with what failed.
 */
export async function restoreSnapshot(
    cluster: ClusterAccess,
    node: StackNode,
    snapshot: Buffer,
    apiPort: number,
): Promise<void> {
    // What it reads is the rest of the shell's own input.
    await run(cluster, node, `restore_snapshot ${apiPort}\n${snapshot.toString("base64")}\n`);
}

/** A snapshot that a control plane's timer took, on its machine. */
export interface MachineSnapshot {
    /** On the machine. */
    readonly path: string;
    readonly keys: number;
}

/**
 * @param directory where the machine keeps its snapshots.
 * @param name of the file, or `latest`.
 * @throws UserError where there is none of that name.
 */
export async function findSnapshot(
    cluster: ClusterAccess,
    node: StackNode,
    directory: string,
    name: string,
): Promise<MachineSnapshot> {
    const call = `find_snapshot ${quote(directory)} ${quote(name)}`;
    const { code, stdout, stderr } = await cluster.tryAsRoot(node, `${SCRIPT}\n${call}\n`, TIMEOUT_SECONDS);
    const [path = "", status = ""] = stdout.trim().split("\n");
    if (code !== 0 || status === "") {
        throw new UserError(`${node.name} ${stderr.trim() || `gave no snapshot: exit ${code}`}. Nothing was changed.`);
    }
    return { path, keys: (JSON.parse(status) as { readonly totalKey: number }).totalKey };
}

/** As `restoreSnapshot`, of a snapshot that is on the machine. */
export async function restoreMachineSnapshot(
    cluster: ClusterAccess,
    node: StackNode,
    { path }: MachineSnapshot,
    apiPort: number,
): Promise<void> {
    await run(cluster, node, `restore_snapshot ${apiPort} ${quote(path)} </dev/null\n`);
}

/**
 * Stops other control planes, and puts the data of their etcd aside.
 *
 * @throws UserError where one doesn't answer or stop: then all are as before.
 */
export async function putDataAside(cluster: ClusterAccess, nodes: readonly StackNode[]): Promise<void> {
    const unreachable = await failing(nodes, (node) => run(cluster, node, "true"));
    if (unreachable.length > 0) {
        throw new UserError(
            `A restore is of all control planes. ${unreachable.join("; ")}. '${cluster.stack.command("up")}' starts a machine that is off. ` +
                "Nothing was changed.",
        );
    }
    const failed = await failing(nodes, (node) => run(cluster, node, "put_data_aside"));
    if (failed.length > 0) {
        await takeDataBack(cluster, nodes);
        throw new UserError(`${failed.join("; ")}. Nothing was restored.`);
    }
}

/** Undoes that. @throws UserError with those that it failed on. */
export async function takeDataBack(cluster: ClusterAccess, nodes: readonly StackNode[]): Promise<void> {
    const failed = await failing(nodes, (node) => run(cluster, node, "take_data_back"));
    if (failed.length > 0) {
        throw new UserError(
            `${failed.join("; ")}. Their former data are in /var/lib/kubelab/etcd-before-restore; '${cluster.stack.command("recover")}' ` +
                "goes on with those of one.",
        );
    }
}

async function failing(
    nodes: readonly StackNode[],
    act: (node: StackNode) => Promise<void>,
): Promise<readonly string[]> {
    const settled = await Promise.allSettled(nodes.map(act));
    return settled.flatMap((each) => (each.status === "rejected" ? [String((each.reason as Error).message)] : []));
}

function run(cluster: ClusterAccess, node: StackNode, call: string): Promise<void> {
    return cluster.asRoot(node, `${SCRIPT}\n${call}`, TIMEOUT_SECONDS);
}
