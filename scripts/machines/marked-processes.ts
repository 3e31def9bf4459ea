import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { LabProcess } from "./lab-process";
import { labNames } from "./names";

/** Variable in the environment of a process that says whose it is. What it starts has it too, as processes of a cgroup are in theirs. */
const MARK = "KUBELAB_PROCESS";

/** What the environment of a process has more. */
export function markOf({ lab, machine, service = "registry" }: LabProcess): Readonly<Record<string, string>> {
    return { [MARK]: join(labNames(lab).directory, machine ?? `.${service}`) };
}

/** Ids of the processes with the mark; those of other users can't be read, and have none. */
export function marked(process: LabProcess): number[] {
    const wanted = `${MARK}=${markOf(process)[MARK] ?? ""}`;
    return readdirSync("/proc")
        .filter((entry) => /^\d+$/.test(entry) && environmentOf(entry).includes(wanted))
        .map(Number);
}

/** None where the process has ended, a zombie included. */
function environmentOf(pid: string): readonly string[] {
    try {
        return readFileSync(join("/proc", pid, "environ"), "utf8").split("\0");
    } catch {
        return [];
    }
}
