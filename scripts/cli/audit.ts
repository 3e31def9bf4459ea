import { AUDIT_LOG } from "../../components/control-plane/audit";
import { APPROVER_USER } from "../../components/node-certificates/rights";
import { UserError } from "../support/errors";
import type { ClusterAccess } from "./cluster-access";
import type { StackNode } from "./stack";
import { renderTable } from "./table";

/** Of each control plane's log, its last two files together. */
const BYTES = 4_000_000;

/** The parts of https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/#audit-k8s-io-v1-Event that are read. */
export interface AuditEvent {
    readonly stage: string;
    readonly requestReceivedTimestamp: string;
    readonly verb: string;
    readonly requestURI: string;
    readonly user: { readonly username?: string; readonly groups?: readonly string[] };
    readonly impersonatedUser?: { readonly username?: string };
    readonly objectRef?: {
        readonly resource?: string;
        readonly subresource?: string;
        readonly namespace?: string;
        readonly name?: string;
    };
    readonly sourceIPs?: readonly string[];
    readonly responseStatus?: { readonly code?: number; readonly message?: string };
}

export interface AuditFilter {
    /** How many, the last ones. */
    readonly last: number;
    /** The cluster's own parts too, which are left out otherwise where they were not refused. */
    readonly all: boolean;
    readonly refused: boolean;
    readonly user?: string | undefined;
}

/** The last events of all API servers, oldest first. @throws UserError where a control plane has no log or can't be asked. */
export async function auditEvents(cluster: ClusterAccess, filter: AuditFilter): Promise<AuditEvent[]> {
    const members = cluster.stack.controlPlanes();
    const texts = await Promise.all(members.map((node) => readLog(cluster, node)));
    return select(texts.flatMap(parseEvents), filter);
}

async function readLog(cluster: ClusterAccess, node: StackNode): Promise<string> {
    const pattern = AUDIT_LOG.replace(/\.log$/, "*.log");
    const script = `set -o pipefail; { ls -tr ${pattern} | tail -n 2 | xargs cat; } | tail -c ${BYTES}`;
    const { code, stdout, stderr } = await cluster.tryAsRoot(node, script, 60);
    if (code !== 0) {
        const why = stderr.trim().split("\n").at(-1) ?? "";
        throw new UserError(
            /No such file/.test(why)
                ? `${node.name} has no audit log: run '${cluster.stack.command("up")}', which has the API server write one.`
                : `The audit log of ${node.name} can't be read: ${why || `exit code ${code}`}`,
        );
    }
    return stdout;
}

/** The events in a log whose first line may be half of one. A request that goes on is in it when it begins, and when it has ended. */
export function parseEvents(text: string): AuditEvent[] {
    return text
        .split("\n")
        .map((line) => {
            try {
                return JSON.parse(line) as AuditEvent;
            } catch {
                return undefined;
            }
        })
        .filter((event) => event?.stage === "ResponseComplete" || event?.stage === "Panic")
        .filter((event) => event !== undefined);
}

export function select(events: readonly AuditEvent[], { last, all, refused, user }: AuditFilter): AuditEvent[] {
    return events
        .filter((event) => !refused || isRefused(event))
        .filter((event) => user === undefined || names(event).includes(user))
        .filter((event) => all || user !== undefined || isRefused(event) || !isOwnPart(event))
        .sort((a, b) => (a.requestReceivedTimestamp < b.requestReceivedTimestamp ? -1 : 1))
        .slice(-last);
}

const names = ({ user, impersonatedUser }: AuditEvent): (string | undefined)[] => [
    user.username,
    impersonatedUser?.username,
];

function isRefused({ responseStatus }: AuditEvent): boolean {
    return [401, 403].includes(responseStatus?.code ?? 0);
}

/** Kubelets, the control plane and what runs in kube-system. Steps of `up` come as kubelab:super-admin. */
function isOwnPart({ user, impersonatedUser }: AuditEvent): boolean {
    const { username = "", groups = [] } = user;
    const own =
        /^system:(apiserver$|kube-|node:|serviceaccount:kube-system:)/.test(username) ||
        username === APPROVER_USER ||
        groups.includes("system:nodes");
    return impersonatedUser === undefined && own;
}

/** A line for each event: when, who, what, where, and how it ended. */
export function renderEvents(events: readonly AuditEvent[]): string {
    const rows = events.map((event) =>
        [
            event.requestReceivedTimestamp.slice(0, 19).replace("T", " "),
            who(event),
            `${event.verb} ${what(event)}`,
            where(event),
            result(event),
        ].map(printable),
    );
    const header = ["TIME (UTC)", "WHO", "WHAT", "WHERE", "RESULT"];
    return renderTable(header, rows);
}

/** Names and paths are a caller's own words, and go to a terminal. */
function printable(text: string): string {
    return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, "?");
}

function who({ user, impersonatedUser }: AuditEvent): string {
    const { username = "?" } = user;
    return impersonatedUser === undefined ? username : `${impersonatedUser.username ?? "?"} (${username} as that user)`;
}

function what({ objectRef, requestURI }: AuditEvent): string {
    const { resource, subresource, name } = objectRef ?? {};
    // What comes after the path may have a command's words in it.
    return [resource ?? requestURI.split("?")[0] ?? "", name, subresource]
        .filter((word) => word !== undefined)
        .join("/");
}

function where({ objectRef, sourceIPs = [] }: AuditEvent): string {
    const scope = objectRef?.namespace === undefined ? "cluster" : `namespace ${objectRef.namespace}`;
    return sourceIPs[0] === undefined ? scope : `${scope}, from ${sourceIPs[0]}`;
}

const RESULTS: Readonly<Record<number, string>> = {
    401: "not authenticated",
    403: "refused",
    404: "not found",
    409: "conflict",
    422: "invalid",
    429: "too many requests",
};

function result({ responseStatus }: AuditEvent): string {
    const { code = 0 } = responseStatus ?? {};
    return code === 0 ? "no answer" : `${code} ${RESULTS[code] ?? (code < 400 ? "done" : "failed")}`;
}
