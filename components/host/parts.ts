import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { ReadyMachine } from "../machines/machine";
import { filesForRole } from "../../scripts/parts/roles";
import { quote, renderScript } from "./script";
import type { SshIdentity } from "./ssh-identity";

/** sha256 (hex) of every file of a parts directory by its path in it, e.g. `bin/etcd`. */
export type Fingerprints = Readonly<Record<string, string>>;

/** The parts directory in this machine's cache that the cluster is made from. */
export interface Parts {
    /** Name of the directory below `<cache>/parts`. */
    readonly digest: pulumi.Output<string>;
    readonly fingerprints: pulumi.Output<Fingerprints>;
}

/** Parts that are on a machine, linked from /usr/local/bin and /opt/cni/bin. */
export interface PushedParts {
    readonly fingerprints: pulumi.Output<Fingerprints>;
    readonly ready: pulumi.Resource;
}

export interface PartsRequest {
    readonly source: string;
    readonly directory?: string | undefined;
    readonly versions: Readonly<Record<string, string>>;
}

/** Gets the parts into the local cache: at once when they are there, else from the source that the config names. */
export function getParts(request: PartsRequest, parent: pulumi.Resource): Parts {
    const got = new local.Command(
        "parts",
        {
            create: "node --import tsx scripts/parts/main.ts get --json",
            stdin: JSON.stringify(request),
            addPreviousOutputInEnv: false,
            logging: local.Logging.Stderr,
        },
        { parent },
    );
    const answer = got.stdout.apply((text) => JSON.parse(text) as { digest: string; files: Record<string, string> });
    return { digest: answer.digest, fingerprints: answer.files };
}

/** Sends parts to machines. */
export interface PartsDelivery {
    readonly parts: Parts;
    readonly identity: SshIdentity;
}

/**
 * Sends a machine the parts that a role needs, in one stream over SSH with the pinned host key. Every file has a directory named
 * by its sha256, so what is there is never sent again, and an upgrade is new links.
 */
export function pushParts(
    machine: ReadyMachine,
    role: "control-plane" | "node",
    { parts, identity }: PartsDelivery,
    parent: pulumi.Resource,
): PushedParts {
    const files = filesForRole(role);
    const kept = [...filesForRole("node"), ...(machine.role === "control-plane" ? filesForRole("control-plane") : [])];
    const stdin = pulumi
        .all([parts.digest, parts.fingerprints, machine.address, machine.id])
        .apply(
            ([digest, fingerprints, address, id]) =>
                `# to ${id}\n${renderPush({ role, digest, fingerprints, files, kept, address, user: machine.user, identity: identity.paths })}`,
        );
    const ready = new local.Command(
        `${machine.name}-${role}-parts`,
        {
            create: "bash -s -- create",
            stdin,
            addPreviousOutputInEnv: false,
            logging: local.Logging.Stderr,
        },
        {
            parent,
            deleteBeforeReplace: true,
            dependsOn: [machine.ready, identity.resource],
            ...(machine.vm ? { deletedWith: machine.vm } : {}),
        },
    );
    return { ready, fingerprints: parts.fingerprints };
}

export interface PushArgs {
    /** Two roles' parts can be on their way to one machine at once. */
    readonly role: string;
    readonly digest: string;
    readonly fingerprints: Fingerprints;
    /** Paths in the parts directory. */
    readonly files: readonly string[];
    /** Paths of all that the machine needs, this push's and others': the rest goes. */
    readonly kept: readonly string[];
    readonly address: string;
    readonly user: string;
    readonly identity: { readonly key: string; readonly knownHosts: string };
}

/** The bash script that runs here, not on the machine: finds what the machine lacks, sends that, links it. */
export function renderPush(args: PushArgs): string {
    const sha256 = (path: string): string => {
        const known = args.fingerprints[path];
        if (known === undefined) {
            throw new Error(`parts ${args.digest} have no ${path}`);
        }
        return known;
    };
    const wanted = args.files.map((path) => `${sha256(path)} ${path}`);
    const kept = args.kept.map(sha256);
    const sudo = args.user === "root" ? "" : "sudo -n ";
    const incoming = `/opt/kubelab/incoming-${args.role}`;
    const send = `cache=\${KUBELAB_CACHE:-\${XDG_CACHE_HOME:-$HOME/.cache}/kubelab}/parts/${args.digest}
if [ ! -d "$cache" ]; then
    echo "kubelab: ${args.address}: the parts ${args.digest} are not in $cache: run 'scripts/lab parts'" >&2
    exit 1
fi
remote() {
    ssh -F none -i ${quote(args.identity.key)} -o IdentitiesOnly=yes -o BatchMode=yes -o StrictHostKeyChecking=yes \\
        -o UserKnownHostsFile=${quote(args.identity.knownHosts)} -o GlobalKnownHostsFile=none -o LogLevel=ERROR \\
        -c aes128-gcm@openssh.com,aes256-gcm@openssh.com,chacha20-poly1305@openssh.com ${quote(`${args.user}@${args.address}`)} "$@"
}
# sha256 and path of every file
wanted='${wanted.join("\n")}'
present=$(remote ls /opt/kubelab/parts 2>/dev/null || true)
missing=$(awk 'NR == FNR { have[$1]; next } !($1 in have) { print $2 }' <(printf '%s\\n' "$present") <(printf '%s\\n' "$wanted"))
if [ -n "$missing" ]; then
    # shellcheck disable=SC2086 # one word per file
    tar -C "$cache" -cf - $missing |
        remote '${sudo}sh -c "rm -rf ${incoming} && mkdir -p ${incoming} && tar --no-same-owner -xf - -C ${incoming}"'
fi
remote '${sudo}bash -s' <<'KUBELAB_LINK'
set -euo pipefail
kept=' ${kept.join(" ")} '
link() {
    mkdir -p /opt/kubelab/parts /opt/cni/bin
    exec 9>/opt/kubelab/parts.lock
    flock 9
    while read -r sha256 path; do
        name=\${path##*/}
        if [ ! -d "/opt/kubelab/parts/$sha256" ]; then
            mkdir -p "${incoming}/$sha256"
            mv "${incoming}/$path" "${incoming}/$sha256/$name"
            mv "${incoming}/$sha256" "/opt/kubelab/parts/$sha256"
        fi
        case $path in
            cni/*) link=/opt/cni/bin/$name ;;
            *) link=/usr/local/bin/$name ;;
        esac
        ln -sfn "/opt/kubelab/parts/$sha256/$name" "$link"
    done
    rm -rf ${incoming}
    # What an upgrade left behind, and what this machine has no use for.
    for directory in /opt/kubelab/parts/*; do
        [[ $kept == *" \${directory##*/} "* ]] || rm -rf "$directory"
    done
}
link <<'KUBELAB_LIST'
${wanted.join("\n")}
KUBELAB_LIST
KUBELAB_LINK`;
    return renderScript({ create: [send] });
}
