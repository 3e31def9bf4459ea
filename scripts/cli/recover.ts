import { Display } from "../support/display";
import { UserError } from "../support/errors";
import { late } from "../support/late";
import type { ClusterAccess } from "./cluster-access";
import { localLab } from "./differences";
import { KeptRepairs } from "./kept-repairs";
import { openCluster } from "./open-cluster";
import { type EtcdMember, etcdMembers, hasQuorum, RECOVER_SCRIPT, renderMembers } from "./quorum";
import type { Stack } from "./stack";
import { downParts } from "./stopped-machines";
import { up } from "./up";

export interface RecoverOptions {
    /** Control planes that are gone for good. */
    readonly without: readonly string[];
    /** The one that goes on. */
    readonly from?: string;
}

/** What to do with each control plane. */
export interface Recovery {
    /** Goes on as the only member. */
    readonly alone: string;
    /** Have data that come to nothing, and join again. */
    readonly joinAgain: readonly string[];
    /** Don't come back. */
    readonly gone: readonly string[];
}

/** Copying some GiB, and starting etcd with them. */
const TIMEOUT_SECONDS = 600;

/**
 * Makes one control plane go on alone when most are gone for good, and, on local machines, the others anew.
 * https://etcd.io/docs/v3.6/op-guide/recovery/
 *
 * @throws UserError where nothing is lost, machines may come back, or none has data: before anything has changed.
 */
export async function recover(stack: Stack, options: RecoverOptions): Promise<void> {
    stack.requireConfig();
    const cluster = await openCluster(stack);
    const { stopped = [], absent = [] } = (await downParts(stack)) ?? {};
    const members = await etcdMembers(cluster, [...stopped, ...absent]);
    const { alone, joinAgain, gone } = planRecovery(stack, members, { ...options, absent });
    const display = new Display();
    try {
        display.begin("etcd");
        for (const name of joinAgain) {
            await onMember(cluster, name, "give_data_up");
            display.line(`${name}: its data are in /var/lib/kubelab/etcd-before-recover, and it joins again`);
        }
        await deleteMachines(stack, gone);
        await onMember(cluster, alone, "go_on_alone");
        display.line(
            `${alone} is etcd's only member. What it hadn't heard of yet is lost: the last moments before the others went.`,
        );
    } finally {
        display.end();
    }
    new KeptRepairs(stack).add([...joinAgain, ...gone], new Date().toISOString());
    if (localLab(stack) === undefined && gone.length > 0) {
        console.log(
            `${gone.join(", ")}: no members any more. Keep them off: with their old data they would be a second cluster. ` +
                `Give the cluster other machines, or fewer, and run '${stack.command("up")}'.`,
        );
        return;
    }
    await up(stack, { config: [], preview: false, json: false, verbose: false, flags: [] });
}

/** @param absent control planes whose disks are gone. @throws UserError where there is nothing to recover, or it could do harm. */
export function planRecovery(
    stack: Stack,
    members: readonly EtcdMember[],
    { without, from, absent }: RecoverOptions & { readonly absent: readonly string[] },
): Recovery {
    refuseUnknown(stack, [...without, ...(from === undefined ? [] : [from])]);
    if (members.length === 0) {
        throw new UserError(
            `There is one control plane, and so no other to go on with: '${stack.command("up")}' starts it. Where its disk is gone: ` +
                `'${stack.command("down")}', and then '${stack.command("restore", "FILE")}'.`,
        );
    }
    if (hasQuorum(members)) {
        throw new UserError(
            `etcd has its quorum, ${renderMembers(members)}: there is nothing to recover. Nothing was changed.`,
        );
    }
    const goes = (name: string): boolean => absent.includes(name) || without.includes(name);
    const mayComeBack = members.filter(({ node, answers }) => !answers && !goes(node)).map(({ node }) => node);
    if (mayComeBack.length > 0) {
        const names = mayComeBack.join(", ");
        throw new UserError(
            `${names}: no answer, but what they have may still be there, and newer. Start them first, as '${stack.command("up")}' does. ` +
                `If they are gone for good: '${stack.command("recover", `--without ${mayComeBack.join(" ")}`)}'. Nothing was changed.`,
        );
    }
    const rest = members.filter(({ node, hasData }) => hasData && !goes(node));
    const alone = rest.length === 0 ? undefined : newest(stack, rest, from);
    if (alone === undefined) {
        throw new UserError(
            `No control plane has data of etcd any more. '${stack.command("down")}', and then '${stack.command("restore", "FILE")}', make a ` +
                `new cluster of a backup. Nothing was changed.`,
        );
    }
    const gone = members.map(({ node }) => node).filter(goes);
    const joinAgain = rest.map(({ node }) => node).filter((node) => node !== alone);
    return { alone, joinAgain, gone };
}

function newest(stack: Stack, members: readonly EtcdMember[], from: string | undefined): string {
    if (from !== undefined) {
        if (members.every(({ node }) => node !== from)) {
            throw new UserError(`${from} has no data of etcd to go on with. Nothing was changed.`);
        }
        return from;
    }
    const [best, second] = [...members].sort((one, other) => {
        const [a, b] = [one.status, other.status];
        return (b?.raftTerm ?? -1) - (a?.raftTerm ?? -1) || (b?.raftIndex ?? -1) - (a?.raftIndex ?? -1);
    });
    if (second !== undefined && members.some(({ status }) => status === undefined)) {
        const names = members.map(({ node }) => node);
        throw new UserError(
            `${names.join(", ")} have data of etcd, and not all say how new they are: choose one by ` +
                `'${stack.command("recover", `--from ${names[0] ?? ""}`)}'. Nothing was changed.`,
        );
    }
    return best?.node ?? "";
}

function onMember(cluster: ClusterAccess, name: string, call: string): Promise<void> {
    return cluster.asRoot(cluster.stack.node(name), `${RECOVER_SCRIPT}\n${call}\n`, TIMEOUT_SECONDS);
}

/** With their old data they would be a second cluster. */
async function deleteMachines(stack: Stack, names: readonly string[]): Promise<void> {
    const lab = localLab(stack);
    if (lab !== undefined) {
        const { deleteMachine } = await late<typeof import("../machines/machine")>(require, "../machines/machine");
        await Promise.all(names.map((name) => deleteMachine(lab, name)));
    }
}

function refuseUnknown(stack: Stack, asked: readonly string[]): void {
    const known = stack.controlPlanes().map(({ name }) => name);
    const unknown = asked.filter((name) => !known.includes(name));
    if (unknown.length > 0) {
        throw new UserError(`${unknown.join(", ")}: no control plane. It can be: ${known.join(", ")}.`);
    }
}
