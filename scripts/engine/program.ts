import { createRequire } from "node:module";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import "./lazy-modules";
import { type ILanguageRuntimeServer, LanguageRuntimeService } from "@pulumi/pulumi/proto/language_grpc_pb";
import { RunResponse } from "@pulumi/pulumi/proto/language_pb";
import { listenOnLoopback } from "../support/loopback-server";

/**
 * Serves a project's program to the Pulumi engine in this process, as the Automation API's inline programs are: the CLI needs no
 * language host and starts no second Node.js. What the program exports, or what an exported function returns, are the outputs.
 *
 * @param main the program's file, absolute.
 */
export async function serveProgram(main: string): Promise<{ readonly port: number; readonly close: () => void }> {
    // Loaded late, and by what the SDK keeps for itself: it is what LocalWorkspace runs inline programs by.
    const load = createRequire(__filename);
    const { LanguageServer } = load("@pulumi/pulumi/automation/server") as {
        readonly LanguageServer: new (program: () => Promise<unknown>) => ILanguageRuntimeServer;
    };
    const program = async (): Promise<unknown> => {
        const exported: unknown = createRequire(join(main, ".."))(main);
        return typeof exported === "function" ? await (exported as () => unknown)() : exported;
    };
    leaveOutSourcePositions(load);
    // The SDK keeps the stack of each promise as text; to translate those by source maps takes half a second, and they
    // are not read.
    process.setSourceMapsEnabled(false);
    const { log } = load("@pulumi/pulumi") as typeof import("@pulumi/pulumi");
    const language = new LanguageServer(program);
    const run = language.run.bind(language);
    language.run = (call, answer) => {
        answerOnce(answer, log, (once) => run(call, once));
    };
    return listenOnLoopback((server) => server.addService(LanguageRuntimeService, language));
}

type Answer = Parameters<ILanguageRuntimeServer["run"]>[1];

/**
 * Answers when the run ends, or when an output's function fails. The SDK would wait for the resources that need that output, for ever:
 * where the program has a process of its own, that process ends instead. What is under way ends, as after every failure.
 */
function answerOnce(answer: Answer, log: typeof import("@pulumi/pulumi").log, run: (once: Answer) => void): void {
    let isOver = false;
    const once: Answer = (error, response) => {
        if (!isOver) {
            isOver = true;
            process.off("unhandledRejection", fail);
            answer(error, response);
        }
    };
    const fail = (): void => {
        const reported = new RunResponse();
        reported.setBail(true);
        // The SDK reports the error, by lines that reach the engine in order.
        const told = log.debug("the program has failed");
        void Promise.race([told, delay(1000, undefined, { ref: false })]).then(() => once(null, reported));
    };
    run(once);
    // After the SDK's own listener, which reports the error.
    process.on("unhandledRejection", fail);
}

/**
 * Has the SDK tell the engine nothing of where in the program each resource is made. It has no option for that, and the state would
 * have a stack trace with every resource, a tenth of it, which goes into each checkpoint. To the engine the positions are no change:
 * after a run without this one, by `pulumi up` by hand, they are there until the next one.
 */
function leaveOutSourcePositions(load: NodeJS.Require): void {
    const { Resource } = load("@pulumi/pulumi") as typeof import("@pulumi/pulumi");
    // Its private function, called by the constructor of every resource.
    Object.assign(Resource, { stackTrace: () => [] });
}
