import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/**
 * The command line that has the kernel end the command with this process, however that ends: prctl(2), PR_SET_PDEATHSIG. Where there is
 * no setpriv, it is the command alone.
 */
export function endingWithParent(command: readonly string[], signal: "TERM" | "KILL" = "TERM"): [string, ...string[]] {
    const setpriv = programOnPath("setpriv");
    const [file, ...args] = setpriv === undefined ? command : [setpriv, "--pdeathsig", signal, ...command];
    if (file === undefined) {
        throw new Error("no command");
    }
    return [file, ...args];
}

/** The first executable file of this name on PATH. */
export function programOnPath(name: string): string | undefined {
    return (process.env["PATH"] ?? "")
        .split(delimiter)
        .map((directory) => join(directory, name))
        .find(isExecutable);
}

function isExecutable(path: string): boolean {
    try {
        accessSync(path, constants.X_OK);
        return true;
    } catch {
        return false;
    }
}
