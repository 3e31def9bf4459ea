import { spawn } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import {
    chmodSync,
    closeSync,
    existsSync,
    mkdirSync,
    openSync,
    readFileSync,
    rmSync,
    symlinkSync,
    writeFileSync,
} from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../support/errors";
import type { Progress } from "../support/progress";
import {
    cgroupsOf,
    createCgroups,
    endProcess,
    hostCgroupLayout,
    processesIn,
    unitName,
    type CgroupLayout,
} from "./cgroups";
import { removeEmpty, run, tryRun, withLock } from "./commands";
import { writeMachineFiles } from "./disk";
import type { CreatedMachine, Deleted, MachineSettings } from "./contract";
import { factsOfContainer } from "./facts";
import { machinesOnDisk } from "./labs";
import { labNames, LABS_DIRECTORY, machineNames, RUN_DIRECTORY } from "./names";
import { preloadedParts } from "./preloaded-parts";
import { type MachineRecord, readMachine, readNetwork, writeMachine } from "./records";
import { ensureRootfs } from "./rootfs";
import { BASE_LINK, REAL_DIRECTORIES, renderSettings } from "./supervisor";

/** Longest wait for a machine's SSH server, in milliseconds. */
const START_TIMEOUT = 60_000;
/** After this many milliseconds a supervisor that isn't in its cgroup has ended. */
const SUPERVISOR_START = 3_000;

/**
 * Creates a machine and returns once its SSH server takes connections. One that is there already stays what it is, is started
 * where it is stopped, and takes over changed keys and names.
 *
 * @throws UserError when the lab has no network, or when the machine runs with other addresses
 */
export async function createMachine(request: MachineSettings, progress: Progress): Promise<CreatedMachine> {
    const { lab, machine } = request;
    const names = machineNames(lab, machine);
    if (!existsSync(join("/sys/class/net", labNames(lab).bridge))) {
        throw new UserError(`${machine}: lab "${lab}" has no network on this host. Create the network first.`);
    }
    const base = await ensureRootfs(progress, request.release);
    return withLock(names.directory, async () => {
        const known = readMachine(lab, machine);
        const layout = hostCgroupLayout();
        const running = isRunning(layout, lab, machine) && (await reconnect(layout, lab, machine));
        if (!known) {
            refuseForeignNamespace(lab, machine);
        }
        const record: MachineRecord = {
            base: known?.base ?? base,
            preloaded: known ? known.preloaded : newestPreloadedParts(lab),
            id: known?.id ?? randomUUID(),
            machineId: known?.machineId ?? randomBytes(16).toString("hex"),
            ...request,
        };
        if (running && known) {
            await applyToRunning(known, record, layout);
        } else {
            await endMachine(layout, lab, machine);
            start(layout, record, known);
        }
        await sshAnswers(layout, record);
        const facts = factsOfContainer(await machineInit(layout, lab, machine));
        return { id: record.id, address: address(record), facts };
    });
}

/** The parts that the lab's network was made with, unless machines are to get theirs by a push. */
function newestPreloadedParts(lab: string): string | undefined {
    const network = readNetwork(lab);
    const directory = network?.preload ? preloadedParts(lab, network.partsDirectory) : undefined;
    return directory !== undefined && existsSync(directory) ? directory : undefined;
}

/** Ends a machine, and removes everything of it. Idempotent: a missing or partial machine is no error. */
export async function deleteMachine(lab: string, machine: string): Promise<Deleted> {
    const names = machineNames(lab, machine);
    const layout = hostCgroupLayout();
    const existed = existsSync(names.directory) || isRunning(layout, lab, machine);
    await withLock(names.directory, async () => {
        await endMachine(layout, lab, machine);
        run("rm", ["-rf", "--one-file-system", names.directory]);
        for (const ending of ["conf", "console.log"]) {
            rmSync(`${names.runFile}.${ending}`, { force: true });
        }
    });
    removeEmpty(labNames(lab).directory, LABS_DIRECTORY, labNames(lab).runDirectory, RUN_DIRECTORY);
    return { deleted: existed };
}

/** Whether the machine or its supervisor has processes. */
export function isRunning(layout: CgroupLayout, lab: string, machine: string): boolean {
    return processesIn(cgroupsOf(layout, { lab, machine })).length > 0;
}

/** Ends what runs and takes away its network and cgroups; its disk stays. */
async function endMachine(layout: CgroupLayout, lab: string, machine: string): Promise<void> {
    const names = machineNames(lab, machine);
    await endProcess(layout, { lab, machine });
    if (existsSync(join("/sys/class/net", names.interface))) {
        tryRun("ip", ["link", "delete", names.interface]);
    }
    if (existsSync(join("/run/netns", names.networkNamespace)) && !foreignOwner(lab, machine)) {
        run("ip", ["netns", "delete", names.networkNamespace]);
    }
}

/** Writes the machine's disk and lets a supervisor of its own start it; nothing of that depends on this process any more. */
function start(layout: CgroupLayout, record: MachineRecord, known: MachineRecord | undefined): void {
    const { lab, machine } = record;
    const names = machineNames(lab, machine);
    if (!existsSync(record.base)) {
        throw new UserError(
            `${machine}: the root file system it was made from (${record.base}) is gone from the cache. Delete the machine, and create it anew.`,
        );
    }
    const upper = join(names.directory, "upper");
    for (const directory of ["upper", "work", "root", ...REAL_DIRECTORIES]) {
        mkdirSync(join(names.directory, directory), { recursive: true, mode: 0o755 });
    }
    chmodSync(upper, 0o755);
    linkBase(names.directory, record.base);
    writeMachineFiles(upper, record, known);
    writeMachine(record);
    createCgroups(layout, { lab, machine });
    mkdirSync(join(RUN_DIRECTORY, lab), { recursive: true, mode: 0o700 });
    const cgroups = cgroupsOf(layout, { lab, machine });
    // Where systemd gives out the cgroup, the supervisor makes them.
    for (const cgroup of cgroups.filter((path) => existsSync(path))) {
        mkdirSync(join(cgroup, "supervisor"), { recursive: true });
        mkdirSync(join(cgroup, "machine"), { recursive: true });
    }
    const kernelModules = existsSync("/lib/modules");
    const settings = renderSettings({ ...record, cgroups, kernelModules });
    writeFileSync(`${names.runFile}.conf`, settings, { mode: 0o600 });
    launch(layout, lab, machine, [join(__dirname, "supervisor.sh"), `${names.runFile}.conf`]);
}

/** The mount of the machine's disk has the base by this link: a cache may be at a path with colons or commas, which part mount options. */
function linkBase(directory: string, base: string): void {
    const link = join(directory, BASE_LINK);
    rmSync(link, { force: true });
    symlinkSync(base, link);
}

/** Starts a long-lived process of the lab that holds nothing of this one: neither session nor standard streams. */
export function launch(layout: CgroupLayout, lab: string, machine: string, command: readonly string[]): void {
    const log = openSync(`${machineNames(lab, machine).runFile}.console.log`, "a", 0o600);
    const onSystemd = layout.kind === "v2" && layout.systemd;
    const logPath = `${machineNames(lab, machine).runFile}.console.log`;
    const unit = ["--quiet", "--collect", `--unit=${unitName({ lab, machine })}`, "--property=Delegate=yes"];
    const output = [`--property=StandardOutput=append:${logPath}`, `--property=StandardError=append:${logPath}`];
    const [program = "", ...args] = onSystemd
        ? ["systemd-run", ...unit, ...output, "--", "bash", ...command]
        : ["bash", ...command];
    const child = spawn(program, args, { detached: true, stdio: ["ignore", log, log], cwd: "/" });
    child.unref();
    closeSync(log);
}

/** A running machine gets new keys and names. Its addresses cannot change while it runs. */
async function applyToRunning(known: MachineRecord, wanted: MachineRecord, layout: CgroupLayout): Promise<void> {
    const { lab, machine } = wanted;
    const network = (record: MachineRecord): string => JSON.stringify([record.addresses, record.gateway]);
    if (network(known) !== network(wanted)) {
        throw new UserError(
            `${machine} runs with the addresses ${known.addresses.join(", ")} (gateway ${known.gateway}) and is asked for ` +
                `${wanted.addresses.join(", ")} (gateway ${wanted.gateway}). Delete the machine first.`,
        );
    }
    const leader = await machineInit(layout, lab, machine);
    writeMachineFiles(`/proc/${leader}/root`, wanted, known);
    writeMachine(wanted);
    if (known.hostKey !== wanted.hostKey) {
        run("nsenter", ["--all", `--target=${leader}`, "systemctl", "try-restart", "ssh.service"]);
    }
}

/**
 * Puts a running machine's interface back on the lab's bridge, and gives its network namespace its name back.
 *
 * @returns whether it is connected: without an interface it has to be started anew.
 */
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

/** @throws UserError with the console's last lines, when the machine ends or doesn't answer in time. */
async function sshAnswers(layout: CgroupLayout, record: MachineRecord): Promise<void> {
    const started = Date.now();
    for (;;) {
        if (await accepts(address(record), 22)) {
            return;
        }
        const ended = Date.now() > started + SUPERVISOR_START && !isRunning(layout, record.lab, record.machine);
        if (ended || Date.now() > started + START_TIMEOUT) {
            const what = ended ? "ended while it started" : `doesn't answer on ${address(record)}:22`;
            throw new UserError(`${record.machine} ${what}. Its console:\n${consoleTail(record.lab, record.machine)}`);
        }
        await sleep(20);
    }
}

/** Whether a TCP connection is taken within a tenth of a second. */
function accepts(host: string, port: number): Promise<boolean> {
    return new Promise((resolve) => {
        const socket = connect({ host, port });
        const settle = (answer: boolean) => () => {
            socket.destroy();
            resolve(answer);
        };
        socket.setTimeout(100, settle(false)).once("connect", settle(true)).once("error", settle(false));
    });
}

function address(record: MachineSettings): string {
    return record.addresses[0]?.split("/")[0] ?? "";
}

function consoleTail(lab: string, machine: string): string {
    const path = `${machineNames(lab, machine).runFile}.console.log`;
    const lines = existsSync(path) ? readFileSync(path, "utf8").trimEnd().split("\n") : [];
    return `${path}\n${lines.slice(-15).join("\n")}`;
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
