import { chmodSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../../support/errors";
import { type CgroupLayout, cgroupsOf, isRunning, processesIn } from "../cgroups";
import { run } from "../commands";
import { writeMachineFiles } from "../disk";
import type { Driver } from "../driver";
import { machinesOnDisk } from "../labs";
import { consoleTail } from "../launch";
import { labNames, machineNames } from "../names";
import { preloadedParts } from "../preloaded-parts";
import { type MachineRecord, writeMachine } from "../records";
import { ensureRootfs } from "../rootfs";
import { factsOfContainer } from "./facts";
import { linkBase, REAL_DIRECTORIES, renderSettings } from "./supervisor";

/** systemd-nspawn containers that boot like machines and share this host's kernel. */
export const NSPAWN: Driver = {
    startTimeout: () => 60_000,
    base: ({ release }, progress) => ensureRootfs(progress, release),
    preloaded(lab, partsDirectory) {
        const directory = preloadedParts(lab, partsDirectory);
        return Promise.resolve(existsSync(directory) ? directory : undefined);
    },
    writeDisk,
    supervisor,
    takeOver,
    reconnect,
    needs: () => Promise.resolve(undefined),
    facts: async (layout, { lab, machine }) => factsOfContainer(await machineInit(layout, lab, machine)),
    cleanUp,
};

function writeDisk(record: MachineRecord, known: MachineRecord | undefined): void {
    const { directory } = machineNames(record.lab, record.machine);
    if (!known) {
        refuseForeignNamespace(record.lab, record.machine);
    }
    const upper = join(directory, "upper");
    for (const name of ["upper", "work", "root", ...REAL_DIRECTORIES]) {
        mkdirSync(join(directory, name), { recursive: true, mode: 0o755 });
    }
    chmodSync(upper, 0o755);
    linkBase(directory, record.base);
    writeMachineFiles(upper, record, known);
}

function supervisor(record: MachineRecord, cgroups: readonly string[]): ReturnType<Driver["supervisor"]> {
    // Where systemd gives out the cgroup, the supervisor makes them.
    for (const cgroup of cgroups.filter((path) => existsSync(path))) {
        mkdirSync(join(cgroup, "supervisor"), { recursive: true });
        mkdirSync(join(cgroup, "machine"), { recursive: true });
    }
    const kernelModules = existsSync("/lib/modules");
    return {
        script: join(__dirname, "supervisor.sh"),
        settings: renderSettings({ ...record, cgroups, kernelModules }),
    };
}

/** A container's files are within reach while it runs. */
async function takeOver(layout: CgroupLayout, known: MachineRecord, wanted: MachineRecord): Promise<boolean> {
    const leader = await machineInit(layout, wanted.lab, wanted.machine);
    writeMachineFiles(`/proc/${leader}/root`, wanted, known);
    writeMachine(wanted);
    if (known.hostKey !== wanted.hostKey) {
        run("nsenter", ["--all", `--target=${leader}`, "systemctl", "try-restart", "ssh.service"]);
    }
    return true;
}

function cleanUp(lab: string, machine: string): void {
    const { networkNamespace } = machineNames(lab, machine);
    if (existsSync(join("/run/netns", networkNamespace)) && !foreignOwner(lab, machine)) {
        run("ip", ["netns", "delete", networkNamespace]);
    }
}

/** Puts its interface back on the lab's bridge, and gives its network namespace its name back. */
async function reconnect(layout: CgroupLayout, lab: string, machine: string): Promise<boolean> {
    const names = machineNames(lab, machine);
    const { bridge } = labNames(lab);
    // One that is just booting has none yet.
    for (let attempt = 0; !existsSync(join("/sys/class/net", names.interface)); attempt++) {
        if (attempt === 20 || !isRunning(layout, lab, machine)) {
            return false;
        }
        await sleep(100);
    }
    if (!existsSync(join("/sys/class/net", bridge, "brif", names.interface))) {
        run("ip", ["link", "set", names.interface, "master", bridge, "up"]);
    }
    if (!existsSync(join("/run/netns", names.networkNamespace))) {
        run("ip", ["netns", "attach", names.networkNamespace, String(await machineInit(layout, lab, machine))]);
    }
    return true;
}

/** The machine's own process 1, as the host numbers it. */
async function machineInit(layout: CgroupLayout, lab: string, machine: string): Promise<number> {
    for (let attempt = 0; attempt < 100; attempt++) {
        for (const pid of processesIn(cgroupsOf(layout, { lab, machine }))) {
            if (existsSync(`/proc/${pid}/status`)) {
                const numbers = /^NSpid:\s+(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]?.split(/\s+/);
                if (numbers?.length === 2 && numbers[1] === "1") {
                    return pid;
                }
            }
        }
        await sleep(50);
    }
    throw new Error(
        `${machine} has processes but no init after five seconds. Its console: ${consoleTail(lab, machine)}`,
    );
}

/** Labs `a` and `a-b` may have machines `b-c` and `c`: the namespace of both is `a-b-c`. */
function foreignOwner(lab: string, machine: string): string | undefined {
    const name = machineNames(lab, machine).networkNamespace;
    return machinesOnDisk().find(
        (other) => other.lab !== lab && machineNames(other.lab, other.machine).networkNamespace === name,
    )?.lab;
}

function refuseForeignNamespace(lab: string, machine: string): void {
    const owner = foreignOwner(lab, machine);
    if (owner !== undefined) {
        const name = machineNames(lab, machine).networkNamespace;
        throw new UserError(
            `${machine}: a machine of lab "${owner}" has the network namespace ${name}. Choose another name for the lab or the machine.`,
        );
    }
}
