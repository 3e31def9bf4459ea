import { parseStaticPods } from "../../cli/status";
import { parseSystemctlShow } from "../../cli/systemctl-show";
import type { Health, Machine, Unit } from "../model";

/** What a machine says of itself. */
export type MachineReport = Pick<Machine, "units" | "addresses" | "bridges" | "routes">;

/** Parts as machine-watch.sh prints them, by name; those that did not change are of an earlier turn. */
type Parts = Readonly<Record<string, string>>;

/** Takes the lines that machine-watch.sh prints over one connection. */
export class ReportReader {
    private parts: Parts = {};
    private name = "";
    private lines: string[] = [];
    private last: MachineReport | undefined;

    /** @returns how the machine is, at each line that ends a turn; undefined at all others. */
    take(line: string): MachineReport | undefined {
        const [, header] = /^--- ([a-z-]+)$/.exec(line) ?? [];
        if (header === undefined) {
            this.lines.push(line);
            return undefined;
        }
        if (this.name !== "") {
            this.parts = { ...this.parts, [this.name]: this.lines.join("\n") };
        }
        this.name = header;
        this.lines = [];
        if (header === "end") {
            this.last = parseMachineReport(this.parts);
        }
        return header === "alive" ? this.last : undefined;
    }
}

interface IpAddress {
    readonly ifname: string;
    readonly addr_info: readonly { readonly local: string; readonly prefixlen: number }[];
}

interface IpRoute {
    readonly dst: string;
    readonly gateway?: string;
    readonly dev: string;
}

/** @throws SyntaxError where `ip` printed something else than JSON. */
function parseMachineReport(parts: Parts): MachineReport {
    const addresses = list<IpAddress>(parts["addresses"]).flatMap(({ ifname, addr_info }) =>
        addr_info.map(({ local, prefixlen }) => ({ device: ifname, address: `${local}/${prefixlen}` })),
    );
    const bridges = list<Pick<IpAddress, "ifname">>(parts["bridges"]);
    return {
        units: [...staticPods(parts["static-pods"] ?? ""), ...units(parts["units"] ?? "")],
        addresses: addresses.filter(({ device }) => device !== "lo"),
        bridges: bridges.map(({ ifname: name }) => ({
            name,
            addresses: addresses.filter(({ device }) => device === name).map(({ address }) => address),
        })),
        routes: list<IpRoute>(parts["routes"]).map(({ dst, gateway, dev }) => ({
            destination: dst,
            device: dev,
            ...(gateway === undefined ? {} : { via: gateway }),
        })),
    };
}

function list<T>(text = ""): readonly T[] {
    return text.trim() === "" ? [] : (JSON.parse(text) as readonly T[]);
}

function units(text: string): Unit[] {
    return parseSystemctlShow(text)
        .filter((unit) => unit["Id"] !== undefined && unit["LoadState"] !== "not-found")
        .map((unit) => {
            const state = unit["ActiveState"] ?? "unknown";
            const since = timestamp(unit["StateChangeTimestamp"] ?? "");
            return {
                name: (unit["Id"] ?? "").replace(/\.service$/, ""),
                health: healthOfUnit(state),
                state,
                restarts: Number(unit["NRestarts"] ?? 0),
                ...(since === undefined ? {} : { since }),
            };
        });
}

function staticPods(text: string): Unit[] {
    return parseStaticPods(text).map(({ unit, state }) => ({
        name: unit,
        health: state === "active" ? "good" : "bad",
        state: state === "active" ? "running" : "not running",
        restarts: 0,
    }));
}

/** @param state ActiveState: https://www.freedesktop.org/software/systemd/man/latest/org.freedesktop.systemd1.html */
function healthOfUnit(state: string): Health {
    switch (state) {
        case "active":
            return "good";
        case "activating":
        case "deactivating":
        case "reloading":
        case "refreshing":
            return "moving";
        case "failed":
        case "inactive":
            return "bad";
        default:
            return "unknown";
    }
}

/** `Sun 2026-11-29 02:52:03.123456 UTC`, as `--timestamp=us+utc` prints it, in ISO 8601 with milliseconds. */
function timestamp(text: string): string | undefined {
    const [, date, time, milliseconds] = /(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(\.\d{3})?\d* UTC$/.exec(text) ?? [];
    return date === undefined ? undefined : `${date}T${time}${milliseconds ?? ".000"}Z`;
}
