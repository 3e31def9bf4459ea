import { local } from "@pulumi/command";
import { OfflineEngine } from "../../../scripts/offline-engine/engine";

/** Three commands in a row, the second as slow as SLEEP (seconds) says. */
export function program(sample: { readonly log: string }): void {
    const note = (name: string, more = ""): { readonly create: string; readonly delete: string } => ({
        create: `echo run ${name} >> ${sample.log}${more}`,
        delete: `echo delete ${name} >> ${sample.log}`,
    });
    const first = new local.Command("first", { ...note("first"), stdin: "" });
    const slow = new local.Command("slow", note("slow", "; echo running slow; sleep $SLEEP"), { dependsOn: first });
    new local.Command("last", note("last"), { dependsOn: slow });
}

if (require.main === module) {
    const directory = process.argv[2] ?? "";
    const engine = new OfflineEngine(
        {
            stack: "test",
            repository: directory,
            configOverrides: {},
            report: ({ kind, message }) => kind === "log" && console.log(message),
        },
        { project: "sample", program: () => Promise.resolve(program({ log: `${directory}/log` }) ?? {}) },
    );
    void engine.up();
}
