import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SUDO_PASSWORD } from "../../components/cluster-spec/environment";
import { repositoryRoot } from "../support/paths";
import type { Difference } from "../machines/status";
import type { ClusterAccess } from "./cluster-access";
import type { Stack, StackNode } from "./stack";
import { late } from "../support/late";

export type { Difference };

/** Subject of a difference of a machine's clock. */
export const CLOCK = "clock";

/** Seconds that a machine is given to compare itself with its record. */
const CHECK_SECONDS = 40;

/** Name of the stack's lab on this host; undefined where its machines aren't this host's. */
export function localLab(stack: Stack): string | undefined {
    const { lab } = stack.outputs();
    return lab?.provider === "local" ? lab.name : undefined;
}

/** Drift of this host's part of a local lab: bridge, NAT, registry. */
export async function hostDifferences(stack: Stack): Promise<Difference[]> {
    const lab = localLab(stack);
    if (lab === undefined) {
        return [];
    }
    const { networkDifferences } = await late<typeof import("../machines/status")>(require, "../machines/status");
    return networkDifferences(lab);
}

/** Drift of a node, from its machine's record. For a local machine, drift that this host sees comes first. */
export async function nodeDifferences(cluster: ClusterAccess, node: StackNode): Promise<Difference[]> {
    const lab = localLab(cluster.stack);
    const asHostSees =
        lab === undefined
            ? []
            : await (
                  await late<typeof import("../machines/status")>(require, "../machines/status")
              ).machineDifferences(lab, node.name);
    if (asHostSees.some(({ subject }) => subject === "machine")) {
        return asHostSees;
    }
    const script = readFileSync(join(repositoryRoot(), "components/steps/check.sh"), "utf8");
    const sent = Date.now();
    const { code, stdout, stderr } = await cluster.tryAsRoot(node, `${TELL_TIME}\n${script}`, CHECK_SECONDS);
    const last = stderr.trim().split("\n").at(-1) ?? "";
    const problem = /password is required/.test(last) ? `${last}: give it in ${SUDO_PASSWORD}` : last;
    return [
        ...asHostSees,
        ...clockDifferences(stdout, sent, Date.now()),
        ...parseDifferences(stdout),
        ...(code === 0
            ? []
            : [{ subject: "machine", difference: `can't be looked into: ${problem || `exit code ${code}`}` }]),
    ];
}

/** Prints the machine's time, in milliseconds since 1970. */
const TELL_TIME = 'printf "time %s\\n" "$((${EPOCHREALTIME//[^0-9]/} / 1000))"';

/** Seconds that a clock may differ. */
const CLOCK_TOLERANCE = 5;

/** @param sent when the machine was asked and `answered` when it had answered, by this host's clock, in milliseconds since 1970. */
export function clockDifferences(text: string, sent: number, answered: number): Difference[] {
    const time = Number(/^time (\d+)$/m.exec(text)?.[1] ?? Number.NaN);
    const seconds = Math.round((time < sent ? time - sent : Math.max(0, time - answered)) / 1000);
    if (!(Math.abs(seconds) > CLOCK_TOLERANCE)) {
        return [];
    }
    const which = seconds > 0 ? "ahead of" : "behind";
    return [{ subject: CLOCK, difference: `${Math.abs(seconds)} seconds ${which} this host's` }];
}

/** The lines of check.sh: `SUBJECT: DIFFERENCE`. */
export function parseDifferences(text: string): Difference[] {
    return text
        .split("\n")
        .filter((line) => line.includes(": "))
        .map((line) => {
            const [subject = "", ...rest] = line.split(": ");
            return { subject, difference: rest.join(": ") };
        });
}
