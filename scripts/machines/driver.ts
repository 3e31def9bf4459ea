import type { Progress } from "../support/progress";
import type { CgroupLayout } from "./cgroups";
import type { MachineFacts } from "./contract";
import type { MachineRecord } from "./records";

/** What is different between a container and a virtual machine. All else is in machine.ts. */
export interface Driver {
    /** Longest wait for the SSH server of a machine that has just been started, in milliseconds. */
    startTimeout(record: MachineRecord): number;
    /** @returns what a new machine's disk begins as, made where it isn't in the cache. @throws UserError where tools are missing. */
    base(record: Pick<MachineRecord, "release">, progress: Progress): Promise<string>;
    /** @returns the parts that a new machine of the lab has from the start; undefined where it has none. */
    preloaded(lab: string, partsDirectory: string): Promise<string | undefined>;
    /** @param known what the disk was written from before, if it is there. @throws UserError where it can't become what is wanted. */
    writeDisk(record: MachineRecord, known: MachineRecord | undefined): void;
    /** The bash script that runs the machine, which is launched with a file of shell variables. */
    supervisor(
        record: MachineRecord,
        cgroups: readonly string[],
    ): { readonly script: string; readonly settings: string };
    /**
     * Lets a running machine take over what changed.
     *
     * @returns whether it has; else it is ready to be ended and started anew.
     */
    takeOver(layout: CgroupLayout, known: MachineRecord, wanted: MachineRecord): Promise<boolean>;
    /**
     * Puts a running machine back on the lab's bridge.
     *
     * @returns whether it is there: without an interface it has to be restarted.
     */
    reconnect(layout: CgroupLayout, lab: string, machine: string): Promise<boolean>;
    /** What a machine that doesn't answer waits for, and what to do: no time helps it. @returns undefined where that isn't known. */
    needs(lab: string, machine: string): Promise<string | undefined>;
    /** What the services of a machine that runs must know of it. */
    facts(layout: CgroupLayout, record: MachineRecord): Promise<MachineFacts>;
    /** Takes away what an ended machine leaves outside of its directory, beside its interface and its cgroup. */
    cleanUp(lab: string, machine: string): void;
}
