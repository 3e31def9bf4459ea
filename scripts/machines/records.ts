import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { DriverName } from "./choose-driver";
import type { MachineSettings, NetworkSettings } from "./contract";
import { labNames, machineNames } from "./names";

/** What a machine was made from: kept beside its disk, so that it can be started again and compared with what is asked for. */
export interface MachineRecord extends Omit<MachineSettings, "driver"> {
    readonly driver: DriverName;
    /** Of this incarnation: another machine in its place has another id. */
    readonly id: string;
    /** /etc/machine-id: 32 hex digits. */
    readonly machineId: string;
    /** Directory of what its disk began as. */
    readonly base: string;
    /** Directory, or file of a disk, with the parts that it had from the start. */
    readonly preloaded?: string | undefined;
}

export function readMachine(lab: string, machine: string): MachineRecord | undefined {
    return read<MachineRecord>(machineFile(lab, machine));
}

/** Records of machines that were made when there was one driver only don't say so. */
export function driverOf(record: Partial<Pick<MachineRecord, "driver">>): DriverName {
    return record.driver ?? "nspawn";
}

export function writeMachine(record: MachineRecord): void {
    write(machineFile(record.lab, record.machine), record);
}

/** What a lab's network was made from, kept for its registry and for the next `create`. */
export function networkFile(lab: string): string {
    return join(labNames(lab).directory, "network.json");
}

export function readNetwork(lab: string): NetworkSettings | undefined {
    return read<NetworkSettings>(networkFile(lab));
}

/** Whether a lab's network is a process of its own, which needs no root, and not a bridge. */
export function isUserNetwork(network: Pick<NetworkSettings, "loopback"> | undefined): boolean {
    return network?.loopback !== undefined;
}

export function writeNetwork(settings: NetworkSettings): void {
    write(networkFile(settings.lab), settings);
}

function machineFile(lab: string, machine: string): string {
    return join(machineNames(lab, machine).directory, "machine.json");
}

function read<Kept>(path: string): Kept | undefined {
    return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Kept) : undefined;
}

function write(path: string, kept: object): void {
    writeFileSync(`${path}.new`, JSON.stringify(kept), { mode: 0o600 });
    renameSync(`${path}.new`, path);
}
