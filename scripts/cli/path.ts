import pc from "picocolors";
import type { PathRequest } from "../path/find-path";
import type { Endpoint, Hop, LastSet, Path } from "../path/types";
import { Display } from "../support/display";
import { late } from "../support/late";
import type { Stack } from "./stack";

/** Finds a path and prints it. @returns the exit code: 0 where request and answer came all the way. */
export async function pathCommand(stack: Stack, request: PathRequest, json: boolean): Promise<number> {
    const { openCluster } = await late<typeof import("./open-cluster")>(require, "./open-cluster");
    const { findPath } = await late<typeof import("../path/find-path")>(require, "../path/find-path");
    const cluster = await openCluster(stack);
    const display = new Display({ lines: process.stderr });
    display.begin(`${request.from} → ${request.to}`);
    const path = await findPath(cluster, request, (text) => display.now(text)).finally(() => display.end());
    console.log(json ? JSON.stringify(path, undefined, 2) : renderPath(path));
    return path.whole ? 0 : 1;
}

/** The path as text: a block per hop, what is lost in red, the verdict at the end. */
export function renderPath(path: Path): string {
    const { from, to, protocol, probe, hops } = path;
    const lines = [
        `${from} → ${to}: ${protocol} ${show(probe.source)} → ${show(probe.destination)}, ${outcome(path)}`,
        ...hops.flatMap((hop, index) => [
            ...(hop.direction === "reply" && hops[index - 1]?.direction !== "reply" ? ["", "and back:"] : []),
            "",
            ...renderHop(hop, index + 1),
        ]),
        "",
        ...path.notes.map((note) => pc.yellow(`note: ${note}`)),
        verdict(path),
    ];
    return lines.join("\n");
}

function renderHop(hop: Hop, number: number): string[] {
    const { machine, place, name, what, component, set, command, seen, lost } = hop;
    const mark = lost === undefined ? (seen ? pc.green("✓") : pc.dim("·")) : pc.red("✗");
    return [
        `${mark} ${String(number).padStart(2)}  ${pc.bold(machine)}  ${place}  ${name}`,
        `      ${what}`,
        pc.dim(`      by ${component}, set ${renderSet(set)}`),
        ...(command === undefined ? [] : [pc.dim(`      $ ${command}`)]),
        ...(lost === undefined
            ? []
            : [
                  pc.red(`      LOST HERE: ${lost.why}`),
                  `      should be: ${lost.should}`,
                  ...(lost.remedy === undefined ? [] : [`      $ ${lost.remedy}`]),
              ]),
    ];
}

function renderSet({ at, of }: LastSet): string {
    return at === undefined ? of : `${at} (${of})`;
}

function show({ address, port }: Endpoint): string {
    return `${address}:${port}`;
}

function outcome({ probe: { outcome: result, milliseconds } }: Path): string {
    return `${result} after ${milliseconds} ms`;
}

function verdict({ whole, hops }: Path): string {
    const seen = hops.filter((hop) => hop.seen).length;
    const counted = `${seen} of ${hops.length} hops seen in the kernels' traces`;
    const index = hops.findIndex(({ lost }) => lost !== undefined);
    const lost = hops[index];
    if (whole) {
        return pc.green(`whole: there and back, ${counted}`);
    }
    return lost === undefined
        ? pc.red(`no connection, and no hop that says why; ${counted}`)
        : pc.red(`lost at hop ${index + 1}, on ${lost.machine} (${lost.place} ${lost.name}); ${counted}`);
}
