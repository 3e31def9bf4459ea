import { join } from "node:path";
import { labNames } from "../names";

/** Sockets of a lab's switch, in a directory that only their owner enters. */
export function switchSockets(lab: string) {
    const { runDirectory } = labNames(lab);
    return {
        /** QEMU plugs machines in here. */
        machines: join(runDirectory, "switch.sock"),
        /** Takes requests for forwarded ports. */
        control: join(runDirectory, "control.sock"),
    } as const;
}
