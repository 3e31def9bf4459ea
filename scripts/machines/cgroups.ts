import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { tryRun } from "./commands";
import type { LabProcess } from "./lab-process";
import { marked } from "./marked-processes";
import { AS_ROOT, labNames } from "./names";

/**
 * How this host arranges its cgroups. `v1` has a hierarchy per controller (perhaps with an empty `unified` one beside
 * them); `v2` has one. Where systemd runs the only hierarchy, it hands out the cgroups: no other process may write
 * there. https://systemd.io/CGROUP_DELEGATION/ An ordinary user has none: the processes of their labs are marked.
 */
export type CgroupLayout =
    | { readonly kind: "v1"; readonly hierarchies: readonly string[] }
    | { readonly kind: "v2"; readonly hierarchy: string; readonly systemd: boolean }
    | { readonly kind: "marks" };

/** @param mounts the text of /proc/self/mounts */
export function cgroupLayout(mounts: string, systemd: boolean): CgroupLayout {
    const found = mounts
        .split("\n")
        .map((line) => line.split(" "))
        .filter(([, , type]) => type === "cgroup" || type === "cgroup2")
        .map(([, where = "", type = ""]) => ({ where, type }));
    if (found.some(({ type }) => type === "cgroup")) {
        return { kind: "v1", hierarchies: [...new Set(found.map(({ where }) => where))] };
    }
    const [only] = found;
    if (!only) {
        throw new Error("No cgroup hierarchy is mounted on this host (see /proc/self/mounts).");
    }
    return { kind: "v2", hierarchy: only.where, systemd };
}

/** The layout of this host. */
export function hostCgroupLayout(): CgroupLayout {
    return AS_ROOT
        ? cgroupLayout(readFileSync("/proc/self/mounts", "utf8"), existsSync("/run/systemd/system"))
        : { kind: "marks" };
}

/** The systemd unit that holds the process on a host where systemd gives out the cgroups. */
export function unitName({ lab, machine, service = "registry" }: LabProcess): string {
    return machine === undefined ? `kubelab-${service}.${lab}.service` : `kubelab-machine.${lab}.${machine}.service`;
}

/** The cgroup of a process in every hierarchy. */
export function cgroupsOf(layout: CgroupLayout, process: LabProcess): readonly string[] {
    if (layout.kind === "v2" && layout.systemd) {
        return [join(layout.hierarchy, "system.slice", unitName(process))];
    }
    const own = process.machine === undefined ? [process.service ?? "registry"] : ["machines", process.machine];
    return hierarchies(layout).map((hierarchy) => join(hierarchy, labNames(process.lab).cgroup, ...own));
}

/** The cgroup of a whole lab in every hierarchy; none where systemd gives them out. */
export function labCgroups(layout: CgroupLayout, lab: string): readonly string[] {
    return layout.kind === "v2" && layout.systemd
        ? []
        : hierarchies(layout).map((hierarchy) => join(hierarchy, labNames(lab).cgroup));
}

function hierarchies(layout: CgroupLayout): readonly string[] {
    switch (layout.kind) {
        case "v1":
            return layout.hierarchies;
        case "v2":
            return [layout.hierarchy];
        case "marks":
            return [];
    }
}

/** Makes the cgroups of a process and of its lab, with every controller usable in them. */
export function createCgroups(layout: CgroupLayout, process: LabProcess): void {
    if (layout.kind === "v2" && layout.systemd) {
        return;
    }
    const directories = cgroupsOf(layout, process);
    hierarchies(layout).forEach((hierarchy, index) => {
        const steps = directories[index]?.slice(hierarchy.length + 1).split("/") ?? [];
        let directory = hierarchy;
        for (const step of steps) {
            delegateControllers(layout, directory);
            directory = join(directory, step);
            mkdirSync(directory, { recursive: true });
            inheritCpuset(directory);
        }
    });
}

/** cgroup v2: what is below `directory` may use every controller that it has. */
function delegateControllers(layout: CgroupLayout, directory: string): void {
    if (layout.kind === "v2") {
        for (const controller of readFileSync(join(directory, "cgroup.controllers"), "utf8").trim().split(/\s+/)) {
            writeFileSync(join(directory, "cgroup.subtree_control"), `+${controller}`);
        }
    }
}

/** cgroup v1: a new cpuset has no processors, and so takes no process, until it is given some. What is below inherits. */
function inheritCpuset(directory: string): void {
    if (existsSync(join(directory, "cgroup.clone_children"))) {
        writeFileSync(join(directory, "cgroup.clone_children"), "1");
    }
    for (const file of ["cpuset.cpus", "cpuset.mems"]) {
        if (existsSync(join(directory, file)) && readFileSync(join(directory, file), "utf8").trim() === "") {
            writeFileSync(join(directory, file), readFileSync(join(directory, "..", file), "utf8"));
        }
    }
}

/** Ids of the processes in these cgroups and below. */
export function processesIn(directories: readonly string[]): number[] {
    const found = new Set<number>();
    const visit = (directory: string): void => {
        for (const line of readOrNothing(() => readFileSync(join(directory, "cgroup.procs"), "utf8").split("\n"))) {
            if (Number(line) > 0) {
                found.add(Number(line));
            }
        }
        subdirectories(directory).forEach(visit);
    };
    directories.forEach(visit);
    return [...found];
}

/** Ids of the processes of a machine or a service, with all that these have started. */
export function processesOf(layout: CgroupLayout, process: LabProcess): number[] {
    return layout.kind === "marks" ? marked(process) : processesIn(cgroupsOf(layout, process));
}

/** Whether the machine or its supervisor has processes. */
export function isRunning(layout: CgroupLayout, lab: string, machine: string): boolean {
    return processesOf(layout, { lab, machine }).length > 0;
}

/** Ends a machine with its supervisor, or a service. Idempotent. */
export async function endProcess(layout: CgroupLayout, process: LabProcess): Promise<void> {
    if (layout.kind === "marks") {
        await endAll(() => marked(process), process.machine ?? process.service ?? "registry");
        return;
    }
    await endAndRemove(cgroupsOf(layout, process));
    if (layout.kind === "v2" && layout.systemd) {
        // It has nothing left to end; this waits until the unit's name is free again.
        tryRun("systemctl", ["stop", unitName(process)]);
        tryRun("systemctl", ["reset-failed", unitName(process)]);
    }
}

/** Ends every process in these cgroups and removes them. @throws Error when a process outlives it by ten seconds. */
export function endAndRemove(directories: readonly string[]): Promise<void> {
    const removed = (): boolean => directories.map(removeTree).every((gone) => gone);
    return endAll(() => processesIn(directories), directories[0] ?? "", removed);
}

async function endAll(running: () => number[], what: string, finish: () => boolean = () => true): Promise<void> {
    const deadline = Date.now() + 10_000;
    for (;;) {
        const alive = running();
        if (alive.length === 0 && finish()) {
            return;
        }
        if (Date.now() > deadline) {
            const left = alive.join(", ") || "none left, but the cgroup stays busy";
            throw new Error(`These processes of ${what} don't end: ${left}.`);
        }
        alive.forEach(kill);
        await sleep(5);
    }
}

function kill(pid: number): void {
    try {
        process.kill(pid, "SIGKILL");
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ESRCH") {
            throw error;
        }
    }
}

/** @returns whether the cgroup is gone. */
function removeTree(directory: string): boolean {
    const below = subdirectories(directory).map(removeTree);
    if (below.includes(false)) {
        return false;
    }
    try {
        rmdirSync(directory);
        return true;
    } catch (error) {
        return (error as NodeJS.ErrnoException).code === "ENOENT";
    }
}

function subdirectories(directory: string): string[] {
    return readOrNothing(() =>
        readdirSync(directory, { withFileTypes: true })
            .filter((entry) => entry.isDirectory())
            .map((entry) => join(directory, entry.name)),
    );
}

/** A cgroup may vanish while it is being read. */
function readOrNothing<T>(read: () => T[]): T[] {
    try {
        return read();
    } catch (error) {
        if (["ENOENT", "ENODEV"].includes((error as NodeJS.ErrnoException).code ?? "")) {
            return [];
        }
        throw error;
    }
}
