import type { ClusterAccess } from "../cli/cluster-access";
import { findPath } from "../path/find-path";
import type { Hop } from "../path/types";
import type { PathAnswer, PathQuestion, ShownHop } from "./contract";
import { itemOfHop } from "./hop-items";
import type { Model } from "./model";

/** Finds a path by one connection in the lab. @throws UserError for ends that aren't there. */
export async function pathAnswer(cluster: ClusterAccess, question: PathQuestion, model: Model): Promise<PathAnswer> {
    const { probe, whole, hops, notes } = await findPath(cluster, {
        ...question,
        namespace: "default",
        protocol: "TCP",
    });
    const { outcome, milliseconds } = probe;
    return { outcome, milliseconds, whole, notes, hops: hops.map((hop) => shownHop(hop, model)) };
}

function shownHop(hop: Hop, model: Model): ShownHop {
    const { direction, machine, place, name, what, component, seen, command, lost } = hop;
    const item = itemOfHop(hop, model);
    return {
        ...(item === undefined ? {} : { item }),
        isReply: direction === "reply",
        where: `${machine}: ${place} ${name}`,
        ...{ what, component, seen },
        ...(command === undefined ? {} : { command }),
        ...(lost === undefined ? {} : { lost }),
    };
}
