import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

/** Where the kernel's tracing is mounted, on older systems within debugfs. */
const TRACING = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"].find((path) =>
    existsSync(join(path, "instances")),
);

/** Why programs can't be counted here, or undefined when they can: tests that need it are skipped with this reason. */
export function noCountHere(): string | undefined {
    if (TRACING === undefined) {
        return "the kernel's tracing isn't mounted at /sys/kernel/tracing";
    }
    return existsSync(join(TRACING, "events/sched/sched_process_exec")) ? undefined : "the kernel can't trace execve";
}

/** How often each program was executed, by its name. */
export type Programs = ReadonlyMap<string, number>;

export function total(programs: Programs): number {
    return [...programs.values()].reduce((sum, count) => sum + count, 0);
}

/** One line for a person: `12 mv, 3 bash`, the most frequent first. */
export function renderPrograms(programs: Programs): string {
    return [...programs]
        .sort(([one, a], [other, b]) => b - a || one.localeCompare(other))
        .map(([name, count]) => `${count} ${name}`)
        .join(", ");
}

/**
 * The programs in the text of a trace: executed by descendants of a process, in all namespaces, also by those that outlive their
 * parents.
 *
 * @param trace lines of the events `sched_process_fork` and `sched_process_exec`, in order of time.
 * @param root id of the process, as the host numbers it.
 */
export function programsBelow(root: number, trace: string): Programs {
    const descendants = new Set([root]);
    const counts = new Map<string, number>();
    for (const line of trace.split("\n")) {
        const fork = /: sched_process_fork: .* ?pid=(\d+) .*child_pid=(\d+)$/.exec(line);
        if (fork) {
            // Numbers come again: a child of another process is no descendant any more.
            const [parent, child] = [Number(fork[1]), Number(fork[2])];
            descendants[descendants.has(parent) ? "add" : "delete"](child);
            continue;
        }
        const exec = /: sched_process_exec: filename=(\S+) pid=(\d+) old_pid=(\d+)$/.exec(line);
        if (exec && (descendants.has(Number(exec[2])) || descendants.has(Number(exec[3])))) {
            descendants.add(Number(exec[2]));
            const name = basename(exec[1] ?? "");
            counts.set(name, (counts.get(name) ?? 0) + 1);
        }
    }
    return counts;
}

/**
 * Counts the programs that this process and all that it starts execute while `action` runs; every successful execve counts.
 *
 * @throws Error where the kernel's buffer was too small to tell.
 */
export async function countPrograms(action: () => unknown): Promise<Programs> {
    const instance = join(TRACING ?? "", "instances", `kubelab-${process.pid}`);
    const write = (path: string, text: string): void => {
        writeFileSync(join(instance, path), text);
    };
    mkdirSync(instance);
    try {
        write("buffer_size_kb", "8192");
        for (const event of ["sched_process_fork", "sched_process_exec"]) {
            write(`events/sched/${event}/enable`, "1");
        }
        await action();
        write("tracing_on", "0");
        const trace = readFileSync(join(instance, "trace"), "utf8");
        const [, kept, written] = /entries-in-buffer\/entries-written: (\d+)\/(\d+)/.exec(trace) ?? [];
        if (kept !== written) {
            throw new Error(`of ${written} events the kernel has kept only ${kept}`);
        }
        return programsBelow(process.pid, trace);
    } finally {
        write("events/enable", "0");
        rmdirSync(instance);
    }
}
