import { readFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "node:net";
import { createSocket } from "node:dgram";
import { quote } from "../../components/steps/script";
import type { Endpoint, ProbeResult } from "./types";

/** Seconds that a connection is given. */
const PATIENCE = 3;

/** A connection or a datagram to be sent. */
export interface Probe {
    readonly protocol: "TCP" | "UDP";
    readonly sourcePort: number;
    readonly destination: Endpoint;
    readonly dscp: number;
    /** What a datagram has in it. */
    readonly payload?: Buffer;
}

/** What came of it. */
export interface Answer {
    readonly outcome: ProbeResult["outcome"];
    readonly milliseconds: number;
    /** What came back. */
    readonly data: Buffer;
    /** What the system said where it failed. */
    readonly said: string;
}

/** The bash script that sends it on a machine. @param namespace of a pod; the machine's own where there is none. */
export function probeScript(probe: Probe, namespace: string | undefined): string {
    const { protocol, sourcePort, destination, dscp, payload = Buffer.from("\n") } = probe;
    const args = [
        ...[namespace ?? "", protocol, String(sourcePort), destination.address, String(destination.port)],
        ...[String(dscp), String(PATIENCE), payload.toString("base64")],
    ];
    return `${readFileSync(join(__dirname, "probe.sh"), "utf8")}\nprobe ${args.map(quote).join(" ")}\n`;
}

/** What the script prints. @throws Error where it printed nothing of the kind. */
export function parseAnswer(text: string, protocol: "TCP" | "UDP"): Answer {
    const value = (name: string): string => new RegExp(`^${name} ?(.*)$`, "m").exec(text)?.[1] ?? "";
    if (value("exit") === "") {
        throw new Error(`the probe said nothing: ${text.trim() || "no output"}`);
    }
    const said = value("said").trim();
    const code = Number(value("exit"));
    return {
        outcome: code === 0 ? (protocol === "TCP" ? "connected" : "answered") : failure(said),
        milliseconds: Number(value("milliseconds")),
        data: Buffer.from(value("answer"), "base64"),
        said: said.replace(/^\d{4}\/\S+ \S+ socat\[\d+\] \S /, ""),
    };
}

function failure(said: string): ProbeResult["outcome"] {
    if (/refused|ECONNREFUSED|reset/i.test(said)) {
        return "refused";
    }
    return /no route|unreachable|EHOSTUNREACH|ENETUNREACH|prohibited|EACCES|Operation not permitted/i.test(said)
        ? "unreachable"
        : "silent";
}

/** Sends it from this host. */
export function sendFromHere(probe: Probe): Promise<Answer> {
    return probe.protocol === "TCP" ? connectFromHere(probe) : askFromHere(probe);
}

function connectFromHere({ sourcePort, destination }: Probe): Promise<Answer> {
    const start = Date.now();
    return new Promise((resolve) => {
        const socket = connect({ host: destination.address, port: destination.port, localPort: sourcePort });
        const end = (outcome: ProbeResult["outcome"], said = ""): void => {
            socket.destroy();
            resolve({ outcome, milliseconds: Date.now() - start, data: Buffer.alloc(0), said });
        };
        socket.setTimeout(PATIENCE * 1000, () => end("silent", "timed out"));
        socket.on("connect", () => end("connected"));
        socket.on("error", (error: Error) => end(failure(error.message), error.message));
    });
}

function askFromHere({ sourcePort, destination, payload = Buffer.from("\n") }: Probe): Promise<Answer> {
    const start = Date.now();
    return new Promise((resolve) => {
        const socket = createSocket("udp4");
        const timer = setTimeout(() => end("silent", "timed out"), PATIENCE * 1000);
        const end = (outcome: ProbeResult["outcome"], said = "", data = Buffer.alloc(0)): void => {
            clearTimeout(timer);
            socket.close();
            resolve({ outcome, milliseconds: Date.now() - start, data, said });
        };
        socket.on("message", (data) => end("answered", "", data));
        socket.on("error", (error) => end(failure(error.message), error.message));
        socket.bind(sourcePort, () =>
            // Connected, it hears of refusals.
            socket.connect(destination.port, destination.address, () => socket.send(payload)),
        );
    });
}
