import pc from "picocolors";
import { UserError } from "../support/errors";
import { settleModes } from "../support/modes";
import { LOOPBACK, withoutProxy } from "../support/no-proxy";
import { settlePaths } from "../support/working-directory";
import { program } from "./program";

// scripts/lab has said there that it starts.
if (process.env["KUBELAB_STARTING"] !== undefined) {
    delete process.env["KUBELAB_STARTING"];
    process.stderr.write("\r\u001b[K");
}

// The reader of the output may close it early (`| head`, a closed terminal). The command continues.
for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
        if (error.code !== "EPIPE") {
            throw error;
        }
    });
}

/** Commands whose files are the user's own: they keep the user's umask. */
const PASSED_ON = ["kubectl", "ssh", "pulumi"];

settlePaths(["KUBELAB_CACHE", "PULUMI_HOME", "PULUMI_CONFIG_PASSPHRASE_FILE"]);
withoutProxy(LOOPBACK);
program()
    .hook("preAction", (_, command) => {
        if (!PASSED_ON.includes(command.name())) {
            settleModes();
        }
    })
    .parseAsync()
    .catch((error: unknown) => {
        console.error(
            error instanceof UserError ? pc.red(error.message) : error instanceof Error ? error.stack : String(error),
        );
        process.exitCode = 1;
    });
