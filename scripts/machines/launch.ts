import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { type CgroupLayout, unitName } from "./cgroups";
import { machineNames } from "./names";

/** Where a machine's console and its supervisor write. */
export function consoleLog(lab: string, machine: string): string {
    return `${machineNames(lab, machine).runFile}.console.log`;
}

/** Starts a long-lived bash script of the lab that holds nothing of this process: neither session nor standard streams. */
export function launch(layout: CgroupLayout, lab: string, machine: string, command: readonly string[]): void {
    const logPath = consoleLog(lab, machine);
    const log = openSync(logPath, "a", 0o600);
    const onSystemd = layout.kind === "v2" && layout.systemd;
    const unit = ["--quiet", "--collect", `--unit=${unitName({ lab, machine })}`, "--property=Delegate=yes"];
    const output = [`--property=StandardOutput=append:${logPath}`, `--property=StandardError=append:${logPath}`];
    const [program = "", ...args] = onSystemd
        ? ["systemd-run", ...unit, ...output, "--", "bash", ...command]
        : ["bash", ...command];
    const child = spawn(program, args, { detached: true, stdio: ["ignore", log, log], cwd: "/" });
    child.unref();
    closeSync(log);
}

/** The console's last lines, for a person to read. */
export function consoleTail(lab: string, machine: string): string {
    const path = consoleLog(lab, machine);
    const lines = existsSync(path) ? withoutControls(readFileSync(path, "utf8")).trimEnd().split("\n") : [];
    return `${path}\n${lines.slice(-15).join("\n")}`;
}

/** Without what a console does beside writing: carriage returns, colours, positions of the cursor. */
function withoutControls(text: string): string {
    return text.replace(/\x1b(\[[0-9;?]*[A-Za-z]|[c()78=>])|[\r\x00-\x08\x0e-\x1f]/g, "");
}
