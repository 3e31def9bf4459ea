import { readFileSync } from "node:fs";
import { delimiter } from "node:path";
import { printAnswer } from "../support/answer";
import { UserError } from "../support/errors";
import { settleModes } from "../support/modes";
import { parseRequest } from "../support/request";
import { checkHost } from "./commands";
import {
    type Deleted,
    machineName,
    machineRequest,
    networkName,
    networkRequest,
    type NetworkSettings,
} from "./contract";
import { createMachine, deleteMachine } from "./machine";
import { createNetwork, deleteNetwork } from "./network";
import { AS_ROOT } from "./names";
import { isOwner } from "./owner";
import { isUserNetwork, readNetwork } from "./records";
import { ensureRootfs } from "./rootfs";

const USAGE = `usage: main.ts network create|delete | machine create|delete | rootfs
network and machine read one JSON object on standard input and answer with one line of JSON on standard output.`;

/** The commands of the local machine driver. */
async function main([subject, verb]: readonly string[]): Promise<object> {
    switch (`${subject ?? ""} ${verb ?? ""}`.trim()) {
        case "network create": {
            const request = parseRequest(networkRequest, standardInput());
            checkHost(isUserNetwork(request));
            return createNetwork({ ...withoutUpstream(request), directory: process.cwd() }, progress);
        }
        case "network delete": {
            const { lab, owner } = parseRequest(networkName, standardInput());
            checkHost(!AS_ROOT);
            return belongsToAnother(lab, owner?.key) ? leftAlone(lab) : deleteNetwork(lab);
        }
        case "machine create": {
            const request = parseRequest(machineRequest, standardInput());
            checkHost(isUserNetwork(readNetwork(request.lab)));
            return createMachine(request, progress);
        }
        case "machine delete": {
            const { lab, machine, authorizedKeys = [] } = parseRequest(machineName, standardInput());
            checkHost(!AS_ROOT);
            return belongsToAnother(lab, authorizedKeys[0]) ? leftAlone(lab) : deleteMachine(lab, machine);
        }
        case "rootfs":
            checkHost(false);
            return { path: await ensureRootfs(progress) };
        default:
            throw new UserError(USAGE);
    }
}

/** A request that doesn't say whose it is is a person's own, who removes what nobody else does. */
function belongsToAnother(lab: string, key: string | undefined): boolean {
    return key !== undefined && !isOwner(readNetwork(lab), key);
}

function leftAlone(lab: string): Deleted {
    progress(`the lab "${lab}" belongs to ${readNetwork(lab)?.directory ?? "another stack"} by now, and stays`);
    return { deleted: false };
}

function withoutUpstream(request: NetworkSettings): NetworkSettings {
    return process.env["KUBELAB_OFFLINE"] === "1" ? { ...request, offline: true } : request;
}

function standardInput(): string {
    return readFileSync(0, "utf8");
}

function progress(line: string): void {
    process.stderr.write(`${line}\n`);
}

settleModes();
// An ordinary user's PATH may lack them; mke2fs is there.
process.env["PATH"] = [process.env["PATH"] ?? "", "/usr/sbin", "/sbin"].filter((each) => each !== "").join(delimiter);
void printAnswer(main(process.argv.slice(2)));
