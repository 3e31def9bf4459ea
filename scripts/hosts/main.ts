import { readFileSync } from "node:fs";
import { printAnswer } from "../support/answer";
import { UserError } from "../support/errors";
import { claim, type HostRequest, leave } from "./hosts";

/** `main.ts claim|leave`: one JSON object on standard input, one line of JSON on standard output. */
async function main(verb: string | undefined): Promise<object> {
    const request = (): HostRequest => JSON.parse(readFileSync(0, "utf8")) as HostRequest;
    switch (verb) {
        case "claim":
            return claim(request());
        case "leave":
            return leave(request());
        case undefined:
        default:
            throw new UserError("usage: main.ts claim|leave, with one JSON object on standard input");
    }
}

void printAnswer(main(process.argv[2]));
