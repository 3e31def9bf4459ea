import { connect } from "node:net";
import { createInterface } from "node:readline";
import { machineNames } from "../names";
import { vmFiles } from "./files";

/** What QEMU says of its machine: `running`, `paused`, `io-error` (the host's disk is full), `shutdown`, … */
export type VmState = string;

/** Milliseconds after which a QEMU that doesn't answer is taken for one that is stuck. */
const PATIENCE = 5_000;

/**
 * Has QEMU carry out a command.
 *
 * @param socket of its monitor.
 * @returns what it answers.
 * @throws Error where nobody answers there, or the command fails.
 * @see https://www.qemu.org/docs/master/interop/qmp-spec.html
 */
export function ask(socket: string, command: string): Promise<unknown> {
    return new Promise((resolve, reject) => {
        const connection = connect(socket);
        const fail = (why: string): void => {
            connection.destroy();
            reject(new Error(`QEMU's monitor ${socket}: ${command}: ${why}`));
        };
        connection.setTimeout(PATIENCE, () => {
            fail("no answer");
        });
        connection.on("error", ({ message }) => {
            fail(message);
        });
        connection.on("close", () => {
            fail("hung up");
        });
        // It passes on the connection's errors, which are dealt with above.
        const answers = createInterface(connection).on("error", () => undefined);
        const send = (execute: string): void => {
            connection.write(`${JSON.stringify({ execute, id: execute })}\n`);
        };
        answers.on("line", (line) => {
            const message = JSON.parse(line) as Message;
            if (message.QMP !== undefined) {
                send("qmp_capabilities");
            } else if (message.error !== undefined) {
                fail(message.error.desc);
            } else if (message.id === "qmp_capabilities") {
                send(command);
            } else if (message.id === command) {
                connection.destroy();
                resolve(message.return);
            }
        });
    });
}

interface Message {
    readonly QMP?: object;
    readonly id?: string;
    readonly return?: unknown;
    readonly error?: { readonly desc: string };
}

/** @returns undefined where nobody answers. */
export async function vmState(socket: string): Promise<VmState | undefined> {
    try {
        return ((await ask(socket, "query-status")) as { readonly status: string }).status;
    } catch {
        return undefined;
    }
}

const DISK_FULL: VmState = "io-error";
const HOST_DISK_FULL = "this host's disk was full when it wrote to its own";

/** What a virtual machine waits for that only a person can give it: room on the host's disk. */
export async function whatItNeeds(lab: string, machine: string): Promise<string | undefined> {
    const state = await vmState(vmFiles(lab, machine).monitor);
    return state === DISK_FULL
        ? `${HOST_DISK_FULL}. Make room below ${machineNames(lab, machine).directory}`
        : undefined;
}

/** Why a virtual machine that has been started doesn't go on; undefined where it does. */
export async function whyItWaits(lab: string, machine: string): Promise<string | undefined> {
    const state = await vmState(vmFiles(lab, machine).monitor);
    switch (state) {
        case DISK_FULL:
            return HOST_DISK_FULL;
        case undefined:
            return "QEMU doesn't answer";
        case "running":
            return undefined;
        default:
            return `QEMU says "${state}"`;
    }
}
