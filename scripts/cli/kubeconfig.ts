import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import { renderKubeconfig } from "../../components/pki/kubeconfig";
import { UserError } from "../support/errors";
import { givenPath } from "../support/working-directory";
import type { ClusterAccess } from "./cluster-access";
import { issue } from "./kubeconfig/issue";
import { type Kubeconfig, mergeInto, ownKubeconfig } from "./kubeconfig/merge";
import { readUserRequest } from "./kubeconfig/options";
import { forgetExpired, readRecords, renderRecords, revoke, rightsOf } from "./kubeconfig/records";
import type { Stack } from "./stack";

export interface KubeconfigOptions {
    readonly user?: string;
    readonly group: readonly string[];
    readonly namespace?: string;
    readonly role?: string;
    readonly expires: string;
    readonly output?: string;
    readonly list?: boolean;
    readonly revoke?: string;
    readonly merge?: boolean;
}

/** What `scripts/lab kubeconfig` does. @returns what it prints. */
export async function kubeconfig(cluster: ClusterAccess, options: KubeconfigOptions): Promise<string> {
    const { stack } = cluster;
    const { user, list = false, revoke: revoked, merge = false } = options;
    if ([user !== undefined, list, revoked !== undefined].filter(Boolean).length > 1) {
        throw new UserError("--user, --list and --revoke exclude each other.");
    }
    if (user === undefined) {
        const idle = [...(options.group.length > 0 ? ["group"] : []), ...idleOptions(options)];
        if (idle.length > 0) {
            throw new UserError(`--${idle.join(", --")}: without effect but with --user NAME.`);
        }
    }
    if (list) {
        return renderRecords(await readRecords(cluster));
    }
    if (revoked !== undefined) {
        const records = await revoke(cluster, revoked);
        const groups = records.flatMap((record) =>
            record.groups.map(
                (group) => `until ${record.expires}, the certificate ${record.id} stays one of the group ${group}`,
            ),
        );
        return [
            ...records.map((record) => `revoked ${record.id} of ${record.user}: ${rightsOf(record)}`),
            ...groups,
        ].join("\n");
    }
    return user === undefined ? ownFile(stack, merge) : forUser(cluster, { ...options, user }, merge);
}

function idleOptions(options: KubeconfigOptions): string[] {
    return (["namespace", "role", "output"] as const).filter((name) => options[name] !== undefined);
}

function ownFile(stack: Stack, merge: boolean): string {
    stack.requireUp();
    return merge ? addTo(stack, readFileSync(stack.kubeconfig, "utf8")) : stack.kubeconfig;
}

async function forUser(
    cluster: ClusterAccess,
    options: KubeconfigOptions & { readonly user: string },
    merge: boolean,
): Promise<string> {
    const { stack } = cluster;
    const request = readUserRequest(options);
    await forgetExpired(cluster);
    const { record, certificate, key } = await issue(cluster, request);
    const text = renderKubeconfig({
        ...endpointOf(stack),
        user: request.user,
        context: (lab) => `${request.user}@${lab}`,
        ...(request.namespace === undefined ? {} : { namespace: request.namespace }),
        credentials: { certificate, key },
    });
    const file =
        options.output === undefined
            ? join(stack.directory, "users", `${request.user}.kubeconfig`)
            : givenPath(options.output);
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    // One that is there may be for others to read.
    rmSync(file, { force: true });
    writeFileSync(file, text, { mode: 0o600 });
    return [
        `${file}: ${request.user}, ${rightsOf(record)}, until ${record.expires.slice(0, 16).replace("T", " ")} UTC`,
        ...(merge ? [addTo(stack, text)] : []),
        `take it back: ${stack.command("kubeconfig", "--revoke", request.user)}`,
    ].join("\n");
}

/** Name, address and authority of the cluster, and the name in its certificate, as the administrator's kubeconfig has them. */
function endpointOf(stack: Stack): {
    readonly cluster: string;
    readonly server: string;
    readonly serverName?: string;
    readonly certificateAuthority: string;
} {
    const { clusters } = parse(readFileSync(stack.kubeconfig, "utf8")) as Kubeconfig;
    const [entry] = clusters ?? [];
    const settings = entry?.["cluster"] as Readonly<Record<string, string>> | undefined;
    const { server = "", "certificate-authority-data": authority = "", "tls-server-name": serverName } = settings ?? {};
    return {
        cluster: entry?.name ?? "",
        server,
        ...(serverName === undefined ? {} : { serverName }),
        certificateAuthority: Buffer.from(authority, "base64").toString(),
    };
}

function addTo(stack: Stack, text: string): string {
    const file = ownKubeconfig();
    const context = mergeInto(file, text, stack.directory);
    return `added the context ${context} to ${file}: kubectl --context ${context} get pods`;
}
