import { useEffect, useState } from "preact/hooks";
import type { Change, Model } from "../model";

/** What the server tells, and whether it still does. */
export interface Live {
    readonly moment?: { readonly model: Model; readonly changes: readonly Change[] };
    readonly connected: boolean;
}

/** Follows the lab. The browser connects again by itself when the connection breaks. */
export function useLive(): Live {
    const [live, set] = useState<Live>({ connected: false });
    useEffect(() => {
        const source = new EventSource("events");
        source.onmessage = ({ data }: MessageEvent<string>) =>
            set({ moment: JSON.parse(data) as NonNullable<Live["moment"]>, connected: true });
        source.onerror = () => set((before) => ({ ...before, connected: false }));
        return () => source.close();
    }, []);
    return live;
}

/** Asks the server of the page. @throws Error with what it said when it refuses. */
export async function ask<T>(name: string, body?: unknown): Promise<T> {
    const answer = await fetch(
        name,
        body === undefined
            ? {}
            : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) },
    );
    if (!answer.ok) {
        throw new Error((await answer.text()).trim());
    }
    return (await answer.json()) as T;
}
