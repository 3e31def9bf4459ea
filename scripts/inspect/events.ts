/** The fields that are read of an event, of either API: https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/ */
export interface ApiEvent {
    readonly metadata: { readonly creationTimestamp?: string | null };
    readonly involvedObject: {
        readonly kind?: string;
        readonly namespace?: string;
        readonly name?: string;
        readonly uid?: string;
    };
    readonly type?: string;
    readonly reason?: string;
    readonly message?: string;
    readonly count?: number;
    readonly source?: { readonly component?: string; readonly host?: string };
    readonly reportingComponent?: string;
    readonly lastTimestamp?: string | null;
    readonly eventTime?: string | null;
    readonly series?: { readonly count?: number; readonly lastObservedTime?: string };
}

/** What a component reported of an object. */
export interface Report {
    /** ISO 8601, of its last time. */
    readonly time: string;
    /** `default-scheduler`, `kubelet`, `replicaset-controller` … */
    readonly by: string;
    /** The node, where a part of a node reports. */
    readonly host?: string;
    readonly warning: boolean;
    readonly reason: string;
    readonly message: string;
    readonly count: number;
}

/** Reports of one object, the oldest first. */
export function reportsOf(events: readonly ApiEvent[], uid: string): Report[] {
    return events
        .filter(({ involvedObject }) => involvedObject.uid === uid)
        .map(report)
        .sort((a, b) => a.time.localeCompare(b.time));
}

function report(event: ApiEvent): Report {
    const { metadata, series, source = {}, lastTimestamp, eventTime } = event;
    const time = series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? "";
    return {
        time: time.replace(/\.\d+/, ""),
        by: event.reportingComponent || source.component || "unknown",
        ...(source.host === undefined ? {} : { host: source.host }),
        warning: event.type === "Warning",
        reason: event.reason ?? "",
        message: (event.message ?? "").trim().replace(/\s+/g, " "),
        count: series?.count ?? event.count ?? 1,
    };
}

/** A line for people: `FailedScheduling (default-scheduler, 02:49:08 UTC, 3 times): 0/3 nodes are available: …` */
export function renderReport({ time, by, reason, message, count }: Report): string {
    const times = count > 1 ? `, ${count} times` : "";
    return `${reason} (${by}, ${time.slice(11, 19)} UTC${times}): ${message}`;
}
