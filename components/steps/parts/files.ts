import { filesForRole } from "../../../scripts/parts/roles";
import type { Machine } from "../../machines/machine";

/** Paths in a parts directory of all that a machine needs, whatever is brought to it at one time: the rest goes. */
export function allFilesOf(machine: Pick<Machine, "role">): string[] {
    return [...filesForRole("node"), ...(machine.role === "control-plane" ? filesForRole("control-plane") : [])];
}
