import { createInterface } from "node:readline/promises";
import pc from "picocolors";
import { parseClusterSpec } from "../../components/cluster-spec";
import { readProject, stackConfig } from "../engine/project";
import { UserError } from "../support/errors";
import type { ClusterAccess } from "./cluster-access";
import { openCluster } from "./open-cluster";
import type { Stack } from "./stack";
import { type Look, type Stop, UNEXPECTED } from "./tour/stop";
import { tourStops } from "./tour/stops";
import { bringUp } from "./up";

/** Lines of a command's output that are shown. */
const LINES = 14;
/** Default number of seconds until a command must show the expected output. */
const PATIENCE = 10;

export interface TourOptions {
    /** Don't wait at the stops, and fail at unexpected output of a command. */
    readonly yes: boolean;
}

/**
 * Brings a stack up step by step. At each step it explains what was added, runs the commands that show it, explains
 * what does not work yet, and waits for Enter.
 *
 * @throws UserError where the stack is up already, and with `yes` at unexpected output of a command.
 */
export async function tour(stack: Stack, { yes }: TourOptions): Promise<void> {
    stack.requireConfig();
    if (stack.isUp()) {
        throw new UserError(
            `The tour brings a cluster up, and the stack "${stack.name}" is up already: run '${stack.command("down")}' first.`,
        );
    }
    const stops = tourStops(specOf(stack));
    for (const [index, stop] of stops.entries()) {
        console.log(`\n${pc.bold(`${index + 1}/${stops.length}  ${stop.step}`)}\n`);
        const summary = await bringUp(stack, { "kubelab:stopAfter": stop.step });
        console.log(`${stop.added} ${pc.dim(`(${summary.seconds.toFixed(1)} s)`)}`);
        const failed = await lookAround(await openCluster(stack), stop);
        if (yes && failed.length > 0) {
            throw new UserError(`${stop.step}: ${failed.join("; ")}`);
        }
        if (stop.missing !== undefined) {
            console.log(`\n${pc.yellow("Not yet:")} ${stop.missing}`);
        }
        if (!yes && index < stops.length - 1 && !(await goOn(stack))) {
            return;
        }
    }
    console.log(
        `\n${pc.green("✓")} The tour is complete. The cluster stays up: ${stack.command("status")}, ${stack.command("down")}`,
    );
}

function specOf({ repository, name }: Stack): ReturnType<typeof parseClusterSpec> {
    const config = stackConfig(repository, name, readProject(repository), {});
    const raw = Object.fromEntries(Object.entries(config).map(([key, value]) => [key.replace(/^kubelab:/, ""), value]));
    return parseClusterSpec(raw, { stack: name });
}

/** Runs a stop's commands. @returns those with unexpected output. */
async function lookAround(cluster: ClusterAccess, stop: Stop): Promise<string[]> {
    const failed: string[] = [];
    for (const look of stop.looks) {
        if (look.why !== undefined) {
            console.log(`\n${look.why}`);
        }
        const command = await filledIn(cluster, look.command);
        console.log(pc.cyan(`$ ${typed(cluster.stack, look, command)}`));
        const output = await shown(cluster, look, command);
        const lines = output.trimEnd().split("\n");
        console.log([...lines.slice(0, LINES), ...(lines.length > LINES ? [pc.dim("…")] : [])].join("\n"));
        if (!look.shows.test(output)) {
            failed.push(`'${command}' doesn't show ${String(look.shows)} but: ${output.trim().slice(0, 300)}`);
            console.log(pc.red(UNEXPECTED));
        }
    }
    return failed;
}

/** The command as a person types it. */
export function typed(stack: Stack, { on, objects }: Pick<Look, "on" | "objects">, command: string): string {
    const lab = (name: string): string => `scripts/lab ${name} --stack ${stack.name}`;
    const fed = objects === undefined ? "" : ` <<<'${objects.map((object) => JSON.stringify(object)).join(" ")}'`;
    return on === "kubectl"
        ? `${lab("kubectl")} ${command}${fed}`
        : `${lab("ssh")} ${on.node} -- "${command.replaceAll('"', '\\"')}"`;
}

/** Repeats the command until its output is as expected, or its time is over. */
async function shown(cluster: ClusterAccess, look: Look, command: string): Promise<string> {
    const deadline = Date.now() + (look.seconds ?? PATIENCE) * 1000;
    for (;;) {
        const output = await once(cluster, look, command);
        // What makes something is done once; looking can be repeated.
        if (look.shows.test(output) || Date.now() > deadline || look.objects !== undefined) {
            return output;
        }
        await new Promise((resolve) => setTimeout(resolve, 300));
    }
}

async function once(cluster: ClusterAccess, { on, objects }: Look, command: string): Promise<string> {
    const { stdout, stderr } =
        on === "kubectl"
            ? await cluster.tryKubectl(
                  command.split(" "),
                  objects === undefined
                      ? undefined
                      : JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }),
              )
            : await cluster.trySsh(cluster.stack.node(on.node), command);
    return stdout + stderr;
}

/** Puts in the addresses that only the cluster knows. */
async function filledIn(cluster: ClusterAccess, command: string): Promise<string> {
    const get = async (...args: string[]): Promise<string> =>
        (await cluster.tryKubectl(["get", ...args])).stdout.trim();
    if (command.includes("http://WEB")) {
        return command.replace("WEB", await get("service", "web", "-o", "jsonpath={.spec.clusterIP}"));
    }
    if (command.includes("http://POD")) {
        const last = cluster.stack.outputs().nodes.at(-1)?.name ?? "";
        const selector = ["-l", "app=everywhere", `--field-selector=spec.nodeName=${last},status.phase=Running`];
        return command.replace("POD", await get("pods", ...selector, "-o", "jsonpath={.items[0].status.podIP}"));
    }
    return command;
}

async function goOn(stack: Stack): Promise<boolean> {
    const terminal = createInterface({ input: process.stdin, output: process.stdout });
    try {
        const answer = await terminal.question(pc.dim("\nEnter: the next step. q: stop here. "));
        if (answer.trim().toLowerCase() !== "q") {
            return true;
        }
        console.log(
            `The cluster stays as it is. ${stack.command("up")} completes it, ${stack.command("down")} takes it down.`,
        );
        return false;
    } finally {
        terminal.close();
    }
}
