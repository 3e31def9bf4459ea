import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CgroupLayout, cgroupsOf, createCgroups, unitName } from "./cgroups";
import type { LabProcess } from "./lab-process";
import { markOf } from "./marked-processes";
import { labNames, machineNames } from "./names";

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
    const env = environment(layout, { lab, machine });
    const child = spawn(program, args, { detached: true, stdio: ["ignore", log, log], cwd: "/", env });
    child.unref();
    closeSync(log);
}

function environment(layout: CgroupLayout, lab: LabProcess): NodeJS.ProcessEnv {
    return { ...process.env, ...(layout.kind === "marks" ? markOf(lab) : {}) };
}

/** Where a service of a lab writes. */
export function serviceLog(lab: string, service: NonNullable<LabProcess["service"]>): string {
    return join(labNames(lab).runDirectory, `${service}.log`);
}

/** Starts a service of the lab in the background, as `launch` does a machine. @param cwd its working directory. */
export function launchService(
    layout: CgroupLayout,
    { lab, service }: Required<Omit<LabProcess, "machine">>,
    command: readonly string[],
    cwd: string,
): void {
    createCgroups(layout, { lab, service });
    const path = serviceLog(lab, service);
    const log = openSync(path, "a", 0o600);
    const onSystemd = layout.kind === "v2" && layout.systemd;
    const output = [`--property=StandardOutput=append:${path}`, `--property=StandardError=append:${path}`];
    const unit = ["--quiet", "--collect", `--unit=${unitName({ lab, service })}`, `--working-directory=${cwd}`];
    const [program = "", ...args] = onSystemd ? ["systemd-run", ...unit, ...output, "--", ...command] : command;
    const env = environment(layout, { lab, service });
    const child = spawn(program, args, { cwd, detached: true, stdio: ["ignore", log, log], env });
    child.unref();
    closeSync(log);
    if (child.pid !== undefined && !onSystemd) {
        for (const cgroup of cgroupsOf(layout, { lab, service })) {
            writeFileSync(join(cgroup, "cgroup.procs"), String(child.pid));
        }
    }
}

/** The console's last lines, for a person to read. */
export function consoleTail(lab: string, machine: string): string {
    return tail(consoleLog(lab, machine));
}

/** The same of a service's log. */
export function serviceTail(lab: string, service: NonNullable<LabProcess["service"]>): string {
    return tail(serviceLog(lab, service));
}

function tail(path: string): string {
    const lines = existsSync(path) ? withoutControls(readFileSync(path, "utf8")).trimEnd().split("\n") : [];
    return `${path}\n${lines.slice(-15).join("\n")}`;
}

/** Without what a console does beside writing: carriage returns, colours, positions of the cursor. */
function withoutControls(text: string): string {
    return text.replace(/\x1b(\[[0-9;?]*[A-Za-z]|[c()78=>])|[\r\x00-\x08\x0e-\x1f]/g, "");
}
