import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { renderScript, type StepScript } from "./script";

/** The function that writes its standard input to a file. */
const KEEP = `keep() {
    local text
    IFS= read -rd '' text || true
    printf '%s' "$text" >"$1"
}`;

/** Writes files for the user, in a directory of the project's; removes them at destroy. */
export function keepFiles(name: string, script: pulumi.Output<StepScript>, parent: pulumi.Resource): local.Command {
    return new local.Command(
        name,
        {
            create: "bash -s -- create",
            delete: "bash -s -- delete",
            stdin: pulumi.secret(
                script.apply((each) => renderScript({ ...each, create: [KEEP, ...each.create] }, "none")),
            ),
            addPreviousOutputInEnv: false,
            logging: local.Logging.None,
        },
        { parent },
    );
}
