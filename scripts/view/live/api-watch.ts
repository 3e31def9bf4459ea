import { type IncomingMessage, request } from "node:http";
import type { ApiObject } from "./api-objects";

/** Seconds until a watch is begun again that failed. */
const PAUSE = 1;

interface WatchEvent {
    readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
    readonly object: ApiObject;
}

/** What a watch has now. */
export interface Watched<T> {
    readonly items: readonly T[];
    /** Why the API does not answer; undefined while it does. */
    readonly problem?: string;
    /** Whether it has answered once. */
    readonly begun: boolean;
}

/**
 * Follows a list of the API through the Unix socket of `kubectl proxy`: reads it, then watches it, and begins again when
 * the watch ends. Keeps only what `pick` takes of each object.
 *
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
 */
export class ApiWatch<Raw extends ApiObject, T> {
    private readonly byUid = new Map<string, T>();
    private problem: string | undefined;
    private begun = false;
    private readonly aborted = new AbortController();

    constructor(
        private readonly socketPath: string,
        private readonly path: string,
        private readonly pick: (object: Raw) => T,
        private readonly onChange: () => void,
    ) {
        void this.follow();
    }

    get current(): Watched<T> {
        return {
            items: [...this.byUid.values()],
            begun: this.begun,
            ...(this.problem === undefined ? {} : { problem: this.problem }),
        };
    }

    stop(): void {
        this.aborted.abort();
    }

    private async follow(): Promise<void> {
        while (!this.aborted.signal.aborted) {
            try {
                await this.watchFrom(await this.list());
            } catch (error) {
                if (this.aborted.signal.aborted) {
                    return;
                }
                this.problem = error instanceof Error ? error.message : String(error);
                this.onChange();
                await new Promise((resolve) => setTimeout(resolve, PAUSE * 1000));
            }
        }
    }

    /** @returns the resource version that the watch begins at. */
    private async list(): Promise<string> {
        const answer = await this.get(this.path, 10);
        let text = "";
        for await (const chunk of answer.setEncoding("utf8")) {
            text += chunk as string;
        }
        const { items, metadata } = JSON.parse(text) as { items: Raw[]; metadata: { resourceVersion: string } };
        this.byUid.clear();
        items.forEach((object) => this.byUid.set(object.metadata.uid, this.pick(object)));
        this.problem = undefined;
        this.begun = true;
        this.onChange();
        return metadata.resourceVersion;
    }

    private async watchFrom(resourceVersion: string): Promise<void> {
        const query = `watch=1&allowWatchBookmarks=true&timeoutSeconds=600&resourceVersion=${resourceVersion}`;
        const answer = await this.get(`${this.path}?${query}`);
        let rest = "";
        for await (const chunk of answer.setEncoding("utf8")) {
            const lines = `${rest}${chunk as string}`.split("\n");
            rest = lines.pop() ?? "";
            for (const line of lines) {
                const event = JSON.parse(line) as WatchEvent;
                if (event.type === "ERROR") {
                    // Too old a version, say: the list is read anew.
                    return;
                }
                this.take(event);
            }
        }
    }

    private take({ type, object }: WatchEvent): void {
        switch (type) {
            case "ADDED":
            case "MODIFIED":
                this.byUid.set(object.metadata.uid, this.pick(object as Raw));
                this.onChange();
                break;
            case "DELETED":
                this.byUid.delete(object.metadata.uid);
                this.onChange();
                break;
            case "BOOKMARK":
            case "ERROR":
                break;
        }
    }

    private get(path: string, timeoutSeconds?: number): Promise<IncomingMessage> {
        return new Promise((resolve, reject) => {
            const { socketPath } = this;
            const asked = request({ socketPath, path, signal: this.aborted.signal }, (answer) => {
                if (answer.statusCode === 200) {
                    resolve(answer);
                } else {
                    answer.resume();
                    reject(new Error(`the API server answers ${answer.statusCode}`));
                }
            });
            asked.on("error", reject);
            if (timeoutSeconds !== undefined) {
                asked.setTimeout(timeoutSeconds * 1000, () =>
                    asked.destroy(new Error("the API server does not answer")),
                );
            }
            asked.end();
        });
    }
}
