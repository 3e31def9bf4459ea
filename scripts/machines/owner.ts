import { existsSync } from "node:fs";
import type { NetworkSettings } from "./contract";

/** A lab as far as it says whose it is. */
type Owned = Pick<NetworkSettings, "lab" | "owner" | "directory">;

/**
 * Why a stack may not have the lab that is on this host; undefined where it may. A lab is the stack's whose key its machines know,
 * wherever that stack's checkout has been moved to. A stack that has lost its state may take its own lab over; so may any stack where
 * the owner's checkout is gone.
 */
export function ownedByAnother(
    known: Owned | undefined,
    request: Owned,
    exists: (directory: string) => boolean = existsSync,
): string | undefined {
    if (known?.owner === undefined || known.directory === undefined || isOwner(known, request.owner?.key)) {
        return undefined;
    }
    const samePlace = known.directory === request.directory && known.owner.stack === request.owner?.stack;
    if (samePlace || !exists(known.directory)) {
        return undefined;
    }
    const { lab, directory, owner } = known;
    return (
        `The lab "${lab}" on this host belongs to the stack "${owner.stack}" of ${directory}. Take it down there ` +
        `(scripts/lab down --stack ${owner.stack}), or give this stack's lab a name and a network of its own ` +
        `(kubelab:name, and "network" in kubelab:local).`
    );
}

/** Whether a lab belongs to the stack with this public key; one that doesn't say whose it is belongs to anybody. */
export function isOwner(known: Owned | undefined, key: string | undefined): boolean {
    return known?.owner === undefined || known.owner.key === key;
}
