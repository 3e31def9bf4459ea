import { elapsed } from "../support/display";
import type { EngineEvent } from "../engine/event";

const SHOWN = 3;

/** What an engine's run is doing just now, in a few words. */
export class RunningResources {
    private readonly since = new Map<string, { readonly name: string; readonly at: number }>();
    private done = 0;

    constructor(private readonly now: () => number = () => performance.now()) {}

    record({ kind, urn, name, operation, type }: EngineEvent): void {
        if (kind === "start" && operation !== "same" && !type.startsWith("kubelab:")) {
            this.since.set(urn, { name, at: this.now() });
        } else if (kind === "done" || kind === "failed") {
            this.since.delete(urn);
            this.done += 1;
        }
    }

    /** `41 done; kubenet-cp-1-etcd 12 s, kubenet-worker-1-parts 3 s and 4 more`: the longest first. */
    text(): string {
        const running = [...this.since.values()]
            .sort((a, b) => a.at - b.at)
            .map(({ name, at }) => `${name} ${elapsed((this.now() - at) / 1000)}`);
        const more = running.length > SHOWN ? ` and ${running.length - SHOWN} more` : "";
        const shown = running.slice(0, SHOWN).join(", ");
        return [`${this.done} done`, ...(shown === "" ? [] : [`${shown}${more}`])].join("; ");
    }
}
