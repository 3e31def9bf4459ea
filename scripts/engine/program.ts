import { createRequire } from "node:module";
import { join } from "node:path";
import "./lazy-modules";
import { type ILanguageRuntimeServer, LanguageRuntimeService } from "@pulumi/pulumi/proto/language_grpc_pb";
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
    // The SDK keeps the stack of each promise as text; to translate those by source maps takes half a second, and nobody reads them.
    process.setSourceMapsEnabled(false);
    return listenOnLoopback((server) => server.addService(LanguageRuntimeService, new LanguageServer(program)));
}
