import { readFileSync } from "node:fs";
import { printAnswer } from "../support/answer";
import { UserError } from "../support/errors";
import { parseRequest } from "../support/request";
import { checkHost } from "./commands";
import { machineName, machineRequest, networkName, networkRequest, type NetworkSettings } from "./contract";
import { createMachine, deleteMachine } from "./machine";
import { createNetwork, deleteNetwork } from "./network";
import { ensureRootfs } from "./rootfs";

const USAGE = `usage: main.ts network create|delete | machine create|delete | rootfs
network and machine read one JSON object on standard input and answer with one line of JSON on standard output.`;

/** The commands of the local machine driver. */
async function main([subject, verb]: readonly string[]): Promise<object> {
    switch (`${subject ?? ""} ${verb ?? ""}`.trim()) {
        case "network create": {
            const request = parseRequest(networkRequest, standardInput());
            checkHost();
            return createNetwork(withoutUpstream(request), progress);
        }
        case "network delete": {
            const { lab } = parseRequest(networkName, standardInput());
            checkHost();
            return deleteNetwork(lab);
        }
        case "machine create": {
            const request = parseRequest(machineRequest, standardInput());
            checkHost();
            return createMachine(request, progress);
        }
        case "machine delete": {
            const { lab, machine } = parseRequest(machineName, standardInput());
            checkHost();
            return deleteMachine(lab, machine);
        }
        case "rootfs":
            checkHost();
            return { path: await ensureRootfs(progress) };
        default:
            throw new UserError(USAGE);
    }
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

void printAnswer(main(process.argv.slice(2)));
