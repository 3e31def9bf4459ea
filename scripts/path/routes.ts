import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Route } from "../inspect/network";

/** A question to the kernel: where does a packet go? */
export interface RouteQuery {
    /** Namespace of a pod; the machine's own where it is missing. */
    readonly namespace?: string;
    readonly destination: string;
    readonly source?: string;
    /** Interface that the packet came by; missing for the machine's own. */
    readonly input?: string;
}

/** What the kernel answers. */
export type RouteAnswer =
    | {
          /** The next hop. */
          readonly route: Route;
          /** The entry of the table that says so; the same as `route` where the kernel does not tell. */
          readonly entry: Route;
      }
    | { readonly refused: string };

/** The bash script that asks them on a machine. */
export function routeScript(queries: readonly RouteQuery[]): string {
    const library = readFileSync(join(__dirname, "route-get.sh"), "utf8");
    const lines = queries.map(({ namespace = "-", destination, source = "-", input = "-" }) =>
        [namespace, destination, source, input].join(" "),
    );
    return `${library}\nroutes <<'QUERIES'\n${lines.join("\n")}\nQUERIES\n`;
}

/** What the script prints: an answer for each question. */
export function parseRouteAnswers(text: string): RouteAnswer[] {
    return text
        .trim()
        .split("\n")
        .filter(Boolean)
        .map((line) => {
            const read = JSON.parse(line) as { route?: Route[]; entry?: Route[]; refused?: string };
            const route = read.route?.[0];
            if (route === undefined) {
                return { refused: (read.refused ?? "no route").replace(/^RTNETLINK answers: /, "") };
            }
            return { route, entry: { ...route, ...read.entry?.[0] } };
        });
}

/** The command line that asks by hand. */
export function routeCommand({ namespace, destination, source, input }: RouteQuery): string {
    return [
        "ip",
        ...(namespace === undefined ? [] : ["-n", namespace]),
        ...["route", "get", destination],
        ...(source === undefined ? [] : ["from", source]),
        ...(input === undefined ? [] : ["iif", input]),
    ].join(" ");
}

/** `10.99.2.0/24 via 10.240.0.22 dev eth0` */
export function routeText({ dst, gateway, dev, type }: Route): string {
    return [
        ...(type === undefined || type === "unicast" ? [] : [type]),
        dst,
        ...(gateway === undefined ? [] : ["via", gateway]),
        ...(dev === undefined ? [] : ["dev", dev]),
    ].join(" ");
}
