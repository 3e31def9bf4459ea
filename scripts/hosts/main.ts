import { readFileSync } from "node:fs";
import { printAnswer } from "../support/answer";
import { UserError } from "../support/errors";
import { parseRequest } from "../support/request";
import { claimRequest, leaveRequest } from "./contract";
import { claim, leave } from "./hosts";

/** `main.ts claim|leave`: one JSON object on standard input, one line of JSON on standard output. */
async function main(verb: string | undefined): Promise<object> {
    switch (verb) {
        case "claim":
            return claim(parseRequest(claimRequest, readFileSync(0, "utf8")));
        case "leave":
            return leave(parseRequest(leaveRequest, readFileSync(0, "utf8")));
        case undefined:
        default:
            throw new UserError("usage: main.ts claim|leave, with one JSON object on standard input");
    }
}

void printAnswer(main(process.argv[2]));
