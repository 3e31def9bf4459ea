import { randomBytes, randomUUID } from "node:crypto";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../support/errors";
import type { Progress } from "../support/progress";
import { type CgroupLayout, cgroupsOf, createCgroups, endProcess, hostCgroupLayout, isRunning } from "./cgroups";
import { chooseDriver, type DriverName, hypervisor } from "./choose-driver";
import { removeEmpty, run, tryRun, withLock } from "./commands";
import type { CreatedMachine, Deleted, MachineSettings } from "./contract";
import type { Driver } from "./driver";
import { consoleTail, launch } from "./launch";
import { AS_ROOT, labNames, LABS_DIRECTORY, machineNames, RUN_DIRECTORY } from "./names";
import { NSPAWN } from "./nspawn/driver";
import { QEMU_DRIVER } from "./qemu/driver";
import { driverOf, isUserNetwork, type MachineRecord, readMachine, readNetwork, writeMachine } from "./records";
import { sshServer } from "./ssh-server";
import { forward, stopForwarding } from "./user-network/control";
import { switchRuns } from "./user-network/process";

const IMPLEMENTATIONS: Readonly<Record<DriverName, Driver>> = { nspawn: NSPAWN, qemu: QEMU_DRIVER };

/** After this many milliseconds a supervisor that isn't in its cgroup has ended. */
const SUPERVISOR_START = 3_000;

/** Milliseconds between two looks at what a machine that doesn't answer waits for. */
const BETWEEN_LOOKS = 3_000;

/**
 * Creates a machine and returns once its SSH server takes connections. One that is there already stays what it is, is started
 * where it is stopped, and takes over changed keys and names.
 *
 * @throws UserError when the lab has no network, or when the machine runs with other addresses
 */
export async function createMachine(request: MachineSettings, progress: Progress): Promise<CreatedMachine> {
    const { lab, machine } = request;
    const names = machineNames(lab, machine);
    const network = readNetwork(lab);
    const layout = hostCgroupLayout();
    const bridge = join("/sys/class/net", labNames(lab).bridge);
    if (isUserNetwork(network) ? !switchRuns(layout, lab) : !existsSync(bridge)) {
        throw new UserError(`${machine}: lab "${lab}" has no network on this host. Create the network first.`);
    }
    const before = readMachine(lab, machine);
    const choice = chooseDriver(machine, request.driver, before && driverOf(before), hypervisor());
    if (isUserNetwork(network) && choice.driver === "nspawn") {
        throw new UserError(
            `${machine}: a container (${choice.because}) needs root and a bridge. Set kubelab:local.driver to "qemu".`,
        );
    }
    const driver = IMPLEMENTATIONS[choice.driver];
    const base = before?.base ?? (await driver.base(request, progress));
    return withLock(names.directory, async () => {
        const known = readMachine(lab, machine);
        const running = isRunning(layout, lab, machine) && (await driver.reconnect(layout, lab, machine));
        const preloaded = known ? known.preloaded : await newestParts(driver, lab);
        const record: MachineRecord = {
            base: known?.base ?? base,
            // Left out where there are none, as in the file that it is compared with.
            ...(preloaded === undefined ? {} : { preloaded }),
            id: known?.id ?? randomUUID(),
            machineId: known?.machineId ?? randomBytes(16).toString("hex"),
            ...request,
            driver: choice.driver,
        };
        if (running && known) {
            refuseOtherAddresses(known, record);
        }
        const kept = running && known && (await driver.takeOver(layout, known, record));
        if (!kept) {
            if (!known) {
                progress(`${machine}: ${KINDS[choice.driver]}, since ${choice.because}`);
            }
            await endMachine(layout, lab, machine);
            start(driver, layout, record, known);
        }
        if (isUserNetwork(network)) {
            await forward(lab, request.forwards ?? {});
        }
        await sshAnswers(driver, layout, record);
        return { id: record.id, address: address(record), facts: await driver.facts(layout, record) };
    });
}

const KINDS: Readonly<Record<DriverName, string>> = {
    nspawn: "a systemd-nspawn container",
    qemu: "a virtual machine of QEMU",
};

/** The parts that the lab's network was made with, unless machines are to get theirs by a push. */
async function newestParts(driver: Driver, lab: string): Promise<string | undefined> {
    const network = readNetwork(lab);
    return network?.preload ? driver.preloaded(lab, network.partsDirectory) : undefined;
}

/** Ends a machine, and removes everything of it. Idempotent: a missing or partial machine is no error. */
export async function deleteMachine(lab: string, machine: string): Promise<Deleted> {
    const names = machineNames(lab, machine);
    const layout = hostCgroupLayout();
    const existed = existsSync(names.directory) || isRunning(layout, lab, machine);
    await withLock(names.directory, async () => {
        await stopForwarding(lab, readMachine(lab, machine)?.forwards ?? {});
        await endMachine(layout, lab, machine);
        run("rm", ["-rf", "--one-file-system", names.directory]);
        for (const ending of ["conf", "console.log", "qmp"]) {
            rmSync(`${names.runFile}.${ending}`, { force: true });
        }
    });
    removeEmpty(labNames(lab).directory, LABS_DIRECTORY, labNames(lab).runDirectory, RUN_DIRECTORY);
    return { deleted: existed };
}

/** Ends what runs and takes away its network and cgroups; its disk stays. */
async function endMachine(layout: CgroupLayout, lab: string, machine: string): Promise<void> {
    const names = machineNames(lab, machine);
    await endProcess(layout, { lab, machine });
    if (AS_ROOT && existsSync(join("/sys/class/net", names.interface))) {
        tryRun("ip", ["link", "delete", names.interface]);
    }
    // Whatever the machine was: its record may be gone, or not written yet.
    for (const driver of Object.values(AS_ROOT ? IMPLEMENTATIONS : { qemu: QEMU_DRIVER })) {
        driver.cleanUp(lab, machine);
    }
}

/** Lets a supervisor of its own start the machine; nothing of that depends on this process any more. */
function start(driver: Driver, layout: CgroupLayout, record: MachineRecord, known: MachineRecord | undefined): void {
    const { lab, machine } = record;
    if (!existsSync(record.base)) {
        throw new UserError(
            `${machine}: the root file system it was made from (${record.base}) is gone from the cache. Delete the machine, and create it again.`,
        );
    }
    driver.writeDisk(record, known);
    writeMachine(record);
    createCgroups(layout, { lab, machine });
    mkdirSync(join(RUN_DIRECTORY, lab), { recursive: true, mode: 0o700 });
    const { script, settings } = driver.supervisor(record, cgroupsOf(layout, { lab, machine }));
    const file = `${machineNames(lab, machine).runFile}.conf`;
    writeFileSync(file, settings, { mode: 0o600 });
    launch(layout, lab, machine, [script, file]);
}

/** A running machine cannot change its own address. One beside it comes and goes with its next start. */
function refuseOtherAddresses(known: MachineRecord, wanted: MachineRecord): void {
    const network = (record: MachineRecord): string => JSON.stringify([record.addresses[0], record.gateway]);
    if (network(known) !== network(wanted)) {
        throw new UserError(
            `${wanted.machine} runs with the addresses ${known.addresses.join(", ")} (gateway ${known.gateway}) and is asked for ` +
                `${wanted.addresses.join(", ")} (gateway ${wanted.gateway}). Delete the machine first.`,
        );
    }
}

/** @throws UserError with the console's last lines, when the machine ends, waits for a person, or doesn't answer in time. */
async function sshAnswers(driver: Driver, layout: CgroupLayout, record: MachineRecord): Promise<void> {
    const { lab, machine } = record;
    const started = Date.now();
    const server = sshServer(address(record), record.forwards);
    const timeout = driver.startTimeout(record);
    for (let asked = 0; ;) {
        const now = Date.now();
        if (now > asked + BETWEEN_LOOKS) {
            asked = now;
            const needed = await driver.needs(lab, machine);
            if (needed !== undefined) {
                throw new UserError(`${machine} waits: ${needed}, and run this again.`);
            }
        }
        if (await server.answers()) {
            return;
        }
        const ended = now > started + SUPERVISOR_START && !isRunning(layout, lab, machine);
        if (ended || now > started + timeout) {
            const what = ended ? "ended while it started" : `doesn't answer on ${server.where}`;
            throw new UserError(`${machine} ${what}. Its console:\n${consoleTail(lab, machine)}`);
        }
        await sleep(server.pause);
    }
}

function address(record: MachineSettings): string {
    return record.addresses[0]?.split("/")[0] ?? "";
}
