import { readFileSync } from "node:fs";
import { printAnswer } from "../support/answer";
import { UserError } from "../support/errors";
import { checkHost } from "./commands";
import { parseMachineRequest, parseNames, parseNetworkRequest } from "./input";
import { createMachine, deleteMachine } from "./machine";
import { createNetwork, deleteNetwork } from "./network";
import { ensureRootfs } from "./rootfs";

const USAGE = `usage: main.ts network create|delete | machine create|delete | rootfs
network and machine read one JSON object on standard input and answer with one line of JSON on standard output.`;

/** The commands of the local machine driver. */
async function main([subject, verb]: readonly string[]): Promise<object> {
    switch (`${subject ?? ""} ${verb ?? ""}`.trim()) {
        case "network create": {
            const request = parseNetworkRequest(standardInput());
            checkHost();
            return createNetwork(request, progress);
        }
        case "network delete": {
            const { lab } = parseNames(standardInput());
            checkHost();
            return deleteNetwork(lab);
        }
        case "machine create": {
            const request = parseMachineRequest(standardInput());
            checkHost();
            return createMachine(request, progress);
        }
        case "machine delete": {
            const { lab, machine } = parseNames(standardInput());
            if (machine === undefined) {
                throw new UserError("Missing in the request on standard input: machine.");
            }
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

function standardInput(): string {
    return readFileSync(0, "utf8");
}

function progress(line: string): void {
    process.stderr.write(`${line}\n`);
}

void printAnswer(main(process.argv.slice(2)));
