import type { MachineFacts, PartFacts } from "../inspect/machine";
import { type Report, reportsOf } from "../inspect/events";
import type { Metadata, Snapshot } from "../inspect/snapshot";

/** All that an explanation is made of, of one moment. */
export interface Facts {
    readonly snapshot: Snapshot;
    readonly machines: readonly MachineFacts[];
    /** `kubenet`, or the name of the plugin. */
    readonly podNetwork: string;
    /** Last lines of containers by `NAMESPACE/POD/CONTAINER`, of the instance before where it has ended. */
    readonly logs: Readonly<Record<string, readonly string[]>>;
    /** ISO 8601 */
    readonly now: string;
}

export function reports({ snapshot }: Facts, object: { readonly metadata: Metadata }): Report[] {
    return reportsOf(snapshot.events, object.metadata.uid);
}

/** The last of an object's reports that has one of these reasons. */
export function lastReport(
    facts: Facts,
    object: { readonly metadata: Metadata },
    ...reasons: string[]
): Report | undefined {
    return reports(facts, object)
        .filter(({ reason }) => reasons.includes(reason))
        .at(-1);
}

/** Whole seconds from a time until the facts' own. */
export function secondsSince({ now }: Facts, time: string): number {
    return Math.max(0, Math.round((Date.parse(now) - Date.parse(time)) / 1000));
}

export function machineOf({ machines }: Facts, name: string): MachineFacts | undefined {
    return machines.find(({ node }) => node.name === name);
}

export function partOf(machine: MachineFacts | undefined, name: string): PartFacts | undefined {
    return machine?.parts.find((part) => part.name === name);
}
