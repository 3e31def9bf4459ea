import { spawn } from "node:child_process";
import { availableParallelism, loadavg } from "node:os";
import { quote } from "../../components/steps/script";

/** A command that was watched while it ran. */
export interface Watched {
    readonly code: number | null;
    readonly output: string;
    /** The longest time without a byte of output, in seconds: from its start, between two writes, or to its end. */
    readonly silence: number;
    /** What it had written last before that. */
    readonly before: string;
    /** How many times longer everything takes than on a host that nobody else uses. */
    readonly slowness: number;
}

/**
 * Runs a command, in a terminal (by script(1) of bsdutils) or without one, and takes the time between its writes. What this process
 * itself was late, on a busy machine, isn't the command's.
 *
 * @param until ends the command, by SIGINT, when this much output is there; by default it ends by itself.
 */
export async function watch(
    command: readonly string[],
    {
        terminal,
        environment = {},
        until,
    }: { readonly terminal: boolean; readonly environment?: NodeJS.ProcessEnv; readonly until?: RegExp },
): Promise<Watched> {
    const [program = "", ...args] = terminal
        ? ["script", "--quiet", "--flush", "--return", "--command", command.map(quote).join(" "), "/dev/null"]
        : command;
    const child = spawn(program, args, {
        env: { ...process.env, TERM: "xterm", ...environment },
        stdio: ["ignore", "pipe", "pipe"],
        detached: true,
    });
    let [output, silence, before, late] = ["", 0, "", 0];
    let [last, tick] = [performance.now(), performance.now()];
    const ticking = setInterval(() => {
        late = Math.max(late, performance.now() - tick - 100);
        tick = performance.now();
    }, 100);
    const heard = (chunk: string): void => {
        const gap = performance.now() - last - late;
        if (gap / 1000 > silence) {
            [silence, before] = [gap / 1000, output.slice(-300)];
        }
        [last, late] = [performance.now(), 0];
        output += chunk;
        if (until?.test(output) && child.pid !== undefined && child.exitCode === null) {
            process.kill(-child.pid, "SIGINT");
        }
    };
    child.stdout.setEncoding("utf8").on("data", heard);
    child.stderr.setEncoding("utf8").on("data", heard);
    const code = await new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
    clearInterval(ticking);
    heard("");
    const slowness = Math.max(1, (loadavg()[0] ?? 0) / availableParallelism());
    return { code, output, silence, before, slowness };
}
