import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { renderScript, type StepScript } from "./script";

/** Writes files for the person at the keyboard, in a directory of the project's; removes them at destroy. */
export function keepFiles(name: string, script: pulumi.Output<StepScript>, parent: pulumi.Resource): local.Command {
    return new local.Command(
        name,
        {
            create: "bash -s -- create",
            delete: "bash -s -- delete",
            stdin: pulumi.secret(script.apply((each) => renderScript(each, "none"))),
            addPreviousOutputInEnv: false,
            logging: local.Logging.None,
        },
        { parent },
    );
}
