import { labNames, LABS_DIRECTORY } from "../../machines/names";
import { type Check, gib, GIB } from "./check";
import type { FileSystem, Host } from "./host";
import type { PlannedLab } from "./lab";

/** Bytes on disk: a build of the parts, a download or a copy of them, the machines' root file system, a lab's own changes. */
const ROOM = { build: 3 * GIB, copy: GIB, rootfs: GIB, lab: GIB } as const;
/** Bytes of memory, and inotify instances, that a machine takes. */
const PER_NODE = { memory: GIB / 2, inotify: 20 } as const;
/** inotify instances of a control plane's own services and of root's other processes. */
const OTHER_INOTIFY = 40;

/** Disk, memory and limits, as far as the lab doesn't have them yet. */
export function resourceChecks(host: Host, lab: PlannedLab): Check[] {
    const isUp = labIsUp(host, lab);
    const shared = lab.networking === "user" ? [] : [swap(host), inotify(host, lab)];
    return [...disks(host, lab, isUp), memory(host, lab, isUp), ...shared];
}

/** Whether the lab's network is there already. */
export function labIsUp(host: Host, lab: PlannedLab): boolean {
    return lab.networking === "user"
        ? host.exists(`${labNames(lab.name).directory}/network.json`)
        : host.exists(`/sys/class/net/${labNames(lab.name).bridge}/bridge`);
}

/** One check per file system: the cache and the labs are often on the same one. */
function disks(host: Host, lab: PlannedLab, isUp: boolean): Check[] {
    const fresh = lab.parts.source === "download" || lab.parts.source === "directory" ? ROOM.copy : ROOM.build;
    const uses = [
        { path: lab.cache, bytes: lab.parts.cached ? 0 : fresh, what: "parts" },
        { path: lab.cache, bytes: lab.rootfsCached ? 0 : ROOM.rootfs, what: "root file system" },
        { path: LABS_DIRECTORY, bytes: isUp ? 0 : ROOM.lab, what: "lab" },
    ];
    const systems = new Map<string, { readonly system: FileSystem; readonly uses: typeof uses }>();
    for (const use of uses) {
        const system = host.fileSystem(use.path);
        systems.set(system.id, { system, uses: [...(systems.get(system.id)?.uses ?? []), use] });
    }
    return [...systems.values()].map(({ system, uses: here }): Check => {
        const paths = [...new Set(here.map(({ path }) => path))].join(" and ");
        const needed = here.reduce((sum, { bytes }) => sum + bytes, 0);
        const whatFor = here.filter(({ bytes }) => bytes > 0).map(({ what, bytes }) => `${what} ${gib(bytes)}`);
        const free = `${gib(system.free)} free for ${paths}`;
        if (system.free >= needed) {
            return { name: "disk", state: "ok", detail: `${free}; needed: ${whatFor.join(", ") || "nothing more"}` };
        }
        const movable = here.some(({ path, bytes }) => path === lab.cache && bytes > 0);
        return {
            name: "disk",
            state: "missing",
            detail: `${free}, and ${gib(needed)} needed: ${whatFor.join(", ")}`,
            remedy: movable ? "make room, or set KUBELAB_CACHE to a directory on a larger file system" : "make room",
        };
    });
}

function memory(host: Host, lab: PlannedLab, isUp: boolean): Check {
    const kib = /^MemAvailable:\s+(\d+) kB$/m.exec(host.read("/proc/meminfo") ?? "")?.[1];
    const available = Number(kib ?? 0) * 1024;
    const needed = lab.nodes * PER_NODE.memory;
    const nodes = `${lab.nodes} ${lab.nodes === 1 ? "node" : "nodes"}`;
    if (isUp) {
        return { name: "memory", state: "ok", detail: `${gib(available)} available; the lab has its share` };
    }
    const enough = available >= needed;
    return {
        name: "memory",
        state: enough ? "ok" : "warning",
        detail: `${gib(available)} available; ${nodes} take about ${gib(needed)}`,
        ...(enough ? {} : { remedy: "end other programs, or have fewer workers: --config kubelab:workers=1" }),
    };
}

function swap(host: Host): Check {
    const areas = (host.read("/proc/swaps") ?? "").trim().split("\n").slice(1);
    const detail = areas.length === 0 ? "off" : `on (${areas.map((line) => line.split(/\s+/)[0]).join(", ")})`;
    return { name: "swap", state: "info", detail: `${detail}; kubelets of a local lab start with it and without` };
}

/** Every machine's root is the host's as the kernel counts. https://kind.sigs.k8s.io/docs/user/known-issues/ */
function inotify(host: Host, lab: PlannedLab): Check {
    const setting = "fs.inotify.max_user_instances";
    const limit = Number(host.read("/proc/sys/fs/inotify/max_user_instances") ?? Infinity);
    const needed = lab.nodes * PER_NODE.inotify + OTHER_INOTIFY;
    return limit >= needed
        ? { name: "inotify", state: "ok", detail: `${limit} instances; ${needed} needed at most` }
        : {
              name: "inotify",
              state: "warning",
              detail: `${limit} instances; ${lab.nodes} nodes may need ${needed}`,
              remedy: `sysctl -w ${setting}=${Math.max(512, 2 ** Math.ceil(Math.log2(needed)))}`,
          };
}
