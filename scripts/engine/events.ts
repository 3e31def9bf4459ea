import { type IEventsServer, EventsService } from "@pulumi/pulumi/proto/events_grpc_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { listenOnLoopback } from "../support/loopback-server";
import type { EngineEvent, Operation, Summary } from "./event";

/** An engine event of the Pulumi CLI; https://pkg.go.dev/github.com/pulumi/pulumi/sdk/v3/go/common/apitype#EngineEvent */
interface CliEvent {
    readonly resourcePreEvent?: { readonly metadata: Step };
    readonly resOutputsEvent?: { readonly metadata: Step };
    readonly resOpFailedEvent?: { readonly metadata: Step };
    readonly diagnosticEvent?: { readonly urn?: string; readonly message: string; readonly severity: string };
    readonly summaryEvent?: { readonly resourceChanges?: Readonly<Record<string, number>> };
}

interface Step {
    readonly op: string;
    readonly urn: string;
    readonly type: string;
    readonly diffs?: readonly string[] | null;
}

const OPERATIONS: Readonly<Record<string, Operation>> = {
    create: "create",
    update: "update",
    "create-replacement": "replace",
    delete: "delete",
    same: "same",
};

/**
 * Takes the engine's events as they come, by the protocol of the Automation API: they reach no file, since they may hold secrets.
 *
 * @returns the value of the CLI's `--event-log`.
 */
export async function serveEvents(
    onEvent: (event: unknown) => void,
): Promise<{ readonly eventLog: string; readonly close: () => void }> {
    const service: IEventsServer = {
        streamEvents: (call, callback) => {
            call.on("data", (request: { getEvent(): string }) => onEvent(JSON.parse(request.getEvent())));
            call.on("end", () => callback(null, new Empty()));
        },
    };
    const { port, close } = await listenOnLoopback((server) => server.addService(EventsService, service));
    return { eventLog: `tcp://127.0.0.1:${port}`, close };
}

/** Turns the CLI's events into ours, and keeps what a run's end is made of: its counts, its errors. */
export class PulumiEvents {
    private readonly started = performance.now();
    private readonly since = new Map<string, number>();
    private readonly done = new Set<string>();
    private readonly errors: { readonly resource: string; readonly message: string }[] = [];
    private counts: Readonly<Record<string, number>> = {};

    constructor(private readonly report: (event: EngineEvent) => void) {}

    take(event: unknown): void {
        const { resourcePreEvent, resOutputsEvent, resOpFailedEvent, diagnosticEvent, summaryEvent } =
            event as CliEvent;
        if (resourcePreEvent) {
            this.step("start", resourcePreEvent.metadata);
        } else if (resOutputsEvent) {
            this.step("done", resOutputsEvent.metadata);
        } else if (resOpFailedEvent) {
            this.step("failed", resOpFailedEvent.metadata);
        } else if (diagnosticEvent) {
            this.diagnostic(diagnosticEvent.urn ?? "", withoutMarks(diagnosticEvent.message), diagnosticEvent.severity);
        } else if (summaryEvent) {
            this.counts = summaryEvent.resourceChanges ?? {};
        }
    }

    summary(): Summary {
        const count = (operation: string): number => this.counts[operation] ?? 0;
        return {
            created: count("create"),
            updated: count("update"),
            replaced: count("replace"),
            deleted: count("delete"),
            same: count("same"),
            seconds: (performance.now() - this.started) / 1000,
        };
    }

    /** The errors of the run, each with its resource: those of resources if any, else all. */
    failures(): string[] {
        const own = this.errors.filter(({ resource }) => resource !== "");
        const texts = (own.length > 0 ? own : this.errors).map(({ resource, message }) =>
            resource === "" ? message : `${resource}: ${message}`,
        );
        // What several resources wait for is told for each of them.
        return [...new Set(texts)];
    }

    private step(kind: "start" | "done" | "failed", { op, urn, type, diffs }: Step): void {
        const operation = OPERATIONS[op];
        if (operation === undefined || type.startsWith("pulumi:")) {
            return;
        }
        const key = `${op} ${urn}`;
        if (kind === "start") {
            this.since.set(key, performance.now());
        }
        if (kind === "done") {
            // A component is done when it is registered, and once more with its outputs.
            if (this.done.has(key)) {
                return;
            }
            this.done.add(key);
        }
        const seconds = (performance.now() - (this.since.get(key) ?? performance.now())) / 1000;
        const diffKeys = diffs?.length ? { diffKeys: diffs } : {};
        this.report({ kind, operation, urn, name: nameOf(urn), type, seconds, ...diffKeys });
    }

    private diagnostic(urn: string, message: string, severity: string): void {
        const text = message.trimEnd();
        if (text === "" || severity === "debug") {
            return;
        }
        if (severity === "error") {
            const type = urn.split("::")[2]?.split("$").at(-1) ?? "";
            const resource = urn === "" || type === "pulumi:pulumi:Stack" ? "" : `${nameOf(urn)} (${type})`;
            this.errors.push({ resource, message: text });
        }
        const running = [...this.since.keys()].reverse().find((key) => key.endsWith(` ${urn}`));
        const operation = OPERATIONS[running?.split(" ")[0] ?? ""] ?? "same";
        const kind = severity === "warning" ? "warning" : "log";
        this.report({ kind, operation, urn, name: nameOf(urn), type: "", seconds: 0, message: text });
    }
}

function nameOf(urn: string): string {
    return urn.split("::")[3] ?? urn;
}

/** Without the CLI's colour marks, e.g. `<{%reset%}>`. */
function withoutMarks(text: string): string {
    return text.replace(/<\{%[^%]*%\}>/g, "");
}
