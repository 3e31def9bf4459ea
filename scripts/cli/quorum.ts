import type { ClusterAccess } from "./cluster-access";
import { memberScript } from "./etcd/member-script";
import { UserError } from "../support/errors";
import type { StackNode } from "./stack";
import { settled } from "./stopped-machines";

/** What there is of etcd on a control plane. */
export interface EtcdMember {
    readonly node: string;
    /** Whether its machine does. */
    readonly answers: boolean;
    /** Whether there are data of etcd on it. */
    readonly hasData: boolean;
    /** What it says of itself; missing where it doesn't answer. */
    readonly status?: {
        /** Whether it is in touch with a majority. */
        readonly hasLeader: boolean;
        /** How far its log goes: the greater, the newer. https://etcd.io/docs/v3.6/op-guide/maintenance/ */
        readonly raftTerm: number;
        readonly raftIndex: number;
    };
}

export const RECOVER_SCRIPT = memberScript("recover/etcd.sh");
const TIMEOUT_SECONDS = 20;
/** Those that have just been started take some to find each other. */
const START_SECONDS = 30;

/** How many of so many members of etcd must be there for a write. */
export function majority(members: number): number {
    return Math.floor(members / 2) + 1;
}

/** Asks every control plane for its member of etcd; none where there is only one, whose loss is no question of a majority. */
export async function etcdMembers(cluster: ClusterAccess, stopped: readonly string[] = []): Promise<EtcdMember[]> {
    const nodes = cluster.stack.controlPlanes();
    const ask = async (node: StackNode): Promise<EtcdMember> =>
        stopped.includes(node.name) ? noAnswer(node) : askMember(cluster, node);
    return nodes.length < 2 ? [] : Promise.all(nodes.map(ask));
}

/** Whether a majority is in touch with each other. */
export function hasQuorum(members: readonly EtcdMember[]): boolean {
    return members.some(({ status }) => status?.hasLeader === true);
}

/**
 * @param absent nodes whose disks are gone; the others run.
 * @param patience seconds until the others are in touch with each other.
 * @throws UserError where too many control planes are among them for the others to take new ones in, unless those have been let go before.
 */
export async function refuseWithoutQuorum(
    cluster: ClusterAccess,
    absent: readonly string[],
    patience = START_SECONDS,
): Promise<void> {
    const { stack } = cluster;
    const all = stack.controlPlanes().map(({ name }) => name);
    const left = all.filter((name) => !absent.includes(name));
    if (all.length < 2 || left.length >= majority(all.length)) {
        return;
    }
    const lacksQuorum = async (): Promise<boolean> => !hasQuorum(await etcdMembers(cluster, absent));
    if (left.length > 0 && (await settled(patience, lacksQuorum))) {
        return;
    }
    throw new UserError(
        `The disks of ${all.filter((name) => absent.includes(name)).join(", ")} are gone, and with them the majority of etcd's members: ` +
            (left.length === 0
                ? `'${stack.command("down")}', and then '${stack.command("restore", "FILE")}', make a new cluster of a backup.`
                : `${left.join(", ")} can't take new ones in. '${stack.command("recover")}' lets one go on alone.`),
    );
}

/** `1 of 3 members of etcd answers: cp-1` */
export function renderMembers(members: readonly EtcdMember[]): string {
    const answering = members.filter(({ status }) => status !== undefined).map(({ node }) => node);
    const verb = answering.length === 1 ? "answers" : "answer";
    const names = answering.length === 0 ? "" : `: ${answering.join(", ")}`;
    return `${answering.length} of ${members.length} members of etcd ${verb}${names}`;
}

async function askMember(cluster: ClusterAccess, node: StackNode): Promise<EtcdMember> {
    const { code, stdout } = await cluster.tryAsRoot(node, `${RECOVER_SCRIPT}\ndescribe_member\n`, TIMEOUT_SECONDS);
    return code === 0 ? parseMember(node.name, stdout) : noAnswer(node);
}

const noAnswer = ({ name }: StackNode): EtcdMember => ({ node: name, answers: false, hasData: false });

interface EndpointStatus {
    readonly Status: {
        readonly leader?: number;
        readonly raftTerm?: number;
        readonly raftIndex?: number;
    };
}

/** What `describe_member` prints. */
export function parseMember(node: string, text: string): EtcdMember {
    const [data = "", json = ""] = text.trim().split("\n");
    const member = { node, answers: true, hasData: data === "data" };
    // etcdctl prints `null` where nobody answers it.
    const [answer] = json === "" ? [] : ((JSON.parse(json) as readonly EndpointStatus[] | null) ?? []);
    if (answer === undefined) {
        return member;
    }
    const { leader = 0, raftTerm = 0, raftIndex = 0 } = answer.Status;
    return { ...member, status: { hasLeader: leader !== 0, raftTerm, raftIndex } };
}
