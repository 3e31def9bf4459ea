import { setMaxListeners } from "node:events";
import { RunError } from "@pulumi/pulumi/errors";
import type { EngineEvent, Operation, Summary } from "../cli/engine";
import { UserError } from "../support/errors";
import type { ResourceState } from "./state";

/** One operation that failed. */
export interface Failure {
    readonly resource: string;
    readonly message: string;
}

/** A run that ended early: names every resource that failed, and its message. */
export class DeploymentError extends UserError {
    constructor(readonly failures: readonly Failure[]) {
        super(failures.map(({ resource, message }) => (resource ? `${resource}: ${message}` : message)).join("\n"));
    }
}

/** Told to a registration that comes after the run was stopped; the SDK then stays silent about it. */
export class Stopped extends Error {
    /** gRPC's UNAVAILABLE */
    readonly code = 14;
}

/** Parts of a resource that a report needs. */
export type Named = Pick<ResourceState, "urn" | "type">;

export function nameOf(urn: string): string {
    return urn.split("::")[3] ?? urn;
}

/** One run of the engine: what it has done so far, whether it may begin more, what it reports. */
export class Run {
    private readonly failures: Failure[] = [];
    private readonly running = new Set<Promise<unknown>>();
    private readonly counts = { create: 0, update: 0, replace: 0, delete: 0, same: 0 };
    private readonly started = performance.now();
    private readonly force = new AbortController();
    private programError: Error | undefined;
    private onStop: () => void = () => undefined;
    /** Ends when the run has to end early. */
    readonly stopping = new Promise<void>((resolve) => (this.onStop = resolve));

    constructor(
        readonly preview: boolean,
        private readonly report: (event: EngineEvent) => void,
    ) {
        setMaxListeners(0, this.force.signal);
    }

    get stopped(): boolean {
        return this.failures.length > 0;
    }

    /** Nothing new begins from here on. */
    stop(resource: string, message: string): void {
        this.failures.push({ resource, message });
        this.onStop();
    }

    /** An error of the program's own: the first is kept, the rest follow from it. */
    programFailed(error: unknown): void {
        if (!this.stopped && !(error instanceof Stopped)) {
            this.programError = error instanceof Error ? error : new Error(String(error));
            this.stop("", this.programError.message);
        }
    }

    /** Ends running operations too. */
    abort(): void {
        this.force.abort();
    }

    /** @throws Stopped when nothing new may begin. */
    checkpoint(): void {
        if (this.stopped) {
            throw new Stopped("the run was stopped");
        }
    }

    /** @throws DeploymentError, or the program's own error, when something failed, after what was running has ended. */
    async drain(): Promise<void> {
        while (this.running.size > 0) {
            await Promise.allSettled(this.running);
        }
        if (this.programError !== undefined) {
            // One that is meant for the person is shown without a stack, as the Pulumi CLI does.
            throw RunError.isInstance(this.programError) ? new UserError(this.programError.message) : this.programError;
        }
        if (this.stopped) {
            throw new DeploymentError(this.failures);
        }
    }

    summary(): Summary {
        const { create, update, replace, delete: deleted, same } = this.counts;
        return {
            created: create,
            updated: update,
            replaced: replace,
            deleted,
            same,
            seconds: (performance.now() - this.started) / 1000,
        };
    }

    count(operation: Operation): void {
        this.counts[operation]++;
    }

    log(resource: Named, operation: Operation, since: number, message: string): void {
        this.emit("log", resource, operation, since, { message });
    }

    same(resource: Named): void {
        this.count("same");
        this.emit("done", resource, "same", performance.now(), {});
    }

    /** Out of the state without any work: for `reason`, or because there is nothing to do for it. */
    forgotten(resource: Named, operation: Operation, reason: string | undefined): void {
        this.count(operation);
        if (reason !== undefined) {
            this.emit("skipped", resource, operation, performance.now(), { message: reason });
        }
    }

    /**
     * Runs one operation on a resource, reported from start to end; stops the run when it fails.
     *
     * @param timeout in seconds
     */
    async operation<Result>(
        resource: Named,
        operation: Operation,
        details: { readonly diffKeys?: readonly string[]; readonly timeout?: number | undefined },
        work: (signal: AbortSignal, log: (line: string) => void) => Promise<Result>,
    ): Promise<Result> {
        const { timeout, ...shown } = details;
        const since = performance.now();
        this.emit("start", resource, operation, since, shown);
        const signal = timeout
            ? AbortSignal.any([this.force.signal, AbortSignal.timeout(timeout * 1000)])
            : this.force.signal;
        const result = work(signal, (message) => this.log(resource, operation, since, message));
        this.running.add(result);
        try {
            const value = await result;
            this.emit("done", resource, operation, since, shown);
            return value;
        } catch (error) {
            const message = error instanceof Error ? error.message : String(error);
            this.emit("failed", resource, operation, since, { message });
            this.stop(`${nameOf(resource.urn)} (${resource.type})`, message);
            throw new Stopped(message);
        } finally {
            this.running.delete(result);
        }
    }

    private emit(
        kind: EngineEvent["kind"],
        { urn, type }: Named,
        operation: Operation,
        since: number,
        details: { readonly diffKeys?: readonly string[]; readonly message?: string },
    ): void {
        const seconds = (performance.now() - since) / 1000;
        this.report({ kind, operation, urn, name: nameOf(urn), type, seconds, ...details });
    }
}
