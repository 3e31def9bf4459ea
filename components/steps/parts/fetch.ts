import * as pulumi from "@pulumi/pulumi";
import type { PartSource } from "../../../scripts/parts/contract";
import type { ReadyMachine } from "../../machines/machine";
import type { StepScript } from "../script";
import { rolloutComment, step, type Turn } from "../step";
import { allFilesOf, filesForRole, type PartsRole } from "./files";
import { linkParts, listParts } from "./link";
import type { DeliveredParts, Sources } from "./types";

/** Has a machine get the parts of a role by itself, each checked against its checksum. */
export function fetchParts(
    machine: ReadyMachine,
    role: PartsRole,
    args: {
        readonly sources: pulumi.Output<Sources>;
        readonly from: FetchArgs["from"];
        readonly run: DeliveredParts["run"];
        readonly dependsOn?: readonly pulumi.Resource[];
        readonly turn?: Turn | undefined;
    },
    parent: pulumi.Resource,
): DeliveredParts {
    const ready = step(
        `${machine.name}-${role}-parts`,
        {
            machine,
            script: pulumi.all([args.sources, args.run]).apply(([sources, run]) =>
                renderFetch({
                    run,
                    role,
                    sources,
                    from: args.from,
                    files: filesForRole(role),
                    kept: allFilesOf(machine),
                    verify: machine.repair !== undefined,
                }),
            ),
            dependsOn: [machine.ready, ...(args.dependsOn ?? [])],
            turn: args.turn,
            // A hundred megabytes and more, over whatever line the machine has.
            timeout: 900,
        },
        parent,
    );
    const fingerprints = args.sources.apply((sources) =>
        Object.fromEntries(Object.entries(sources).map(([path, { fingerprint }]) => [path, fingerprint])),
    );
    return { ready, fingerprints, run: args.run, turn: args.turn };
}

export interface FetchArgs {
    /** `Parts.run` */
    readonly run?: string | undefined;
    readonly role: string;
    readonly sources: Sources;
    /** By the host's own proxies, where it has any, or past them. */
    readonly from: "upstream" | "a machine";
    /** Paths in a parts directory. */
    readonly files: readonly string[];
    /** Paths of all that the machine needs, this delivery's and others': the rest goes. */
    readonly kept: readonly string[];
    /** Fetches changed files again. */
    readonly verify?: boolean;
}

/** Removes programs that were changed. */
const VERIFY = `if [ -e "$record" ]; then
    while read -r kind _ size time path; do
        [ "$kind" != part ] || [ "$(stat -c '%s %Y' "$path" 2>/dev/null)" = "$size $time" ] || rm -rf "\${path%/*}"
    done <"$record"
fi`;

/** The step on the machine: downloads what it lacks, checks it, links it. Resumes a killed run. */
export function renderFetch({ role, sources, from, files, kept, run, verify = false }: FetchArgs): StepScript {
    const source = (path: string): PartSource => {
        const known = sources[path];
        if (known === undefined) {
            throw new Error(`there is no source of ${path}`);
        }
        return known;
    };
    const incoming = `/opt/kubelab/incoming-${role}`;
    const lines = files.map((path) => {
        const { fingerprint, url, sha256, member = "-" } = source(path);
        return `${fingerprint} ${path} ${sha256} ${member} ${url}`;
    });
    const fetch = `get() {
    local sha256=$1 url=$2 file=${incoming}/$1.download
    [ ! -e "$file" ] || return 0
    ${from === "upstream" ? "outside " : ""}curl -fsSL --retry 5 --retry-connrefused --connect-timeout 15 --speed-limit 1024 --speed-time 30 \\
        -C - -o "$file.part" "$url" || fail "can't download $url"
    if [ "$(sha256sum <"$file.part")" != "$sha256  -" ]; then
        rm -f "$file.part"
        fail "what $url has isn't what its publisher says it is: its sha256 isn't $sha256"
    fi
    mv "$file.part" "$file"
}
while read -r fingerprint path sha256 member url; do
    [ ! -d "/opt/kubelab/parts/$fingerprint" ] || continue
    mkdir -p "${incoming}/\${path%/*}"
    get "$sha256" "$url"
    if [ "$member" = - ]; then
        cp "${incoming}/$sha256.download" "${incoming}/$path"
    else
        if [ ! -d "${incoming}/$sha256.unpacked" ]; then
            mkdir "${incoming}/$sha256.unpacked"
            tar --no-same-owner -xzf "${incoming}/$sha256.download" -C "${incoming}/$sha256.unpacked"
        fi
        cp "${incoming}/$sha256.unpacked/$member" "${incoming}/$path" || fail "$url has no $member in it"
    fi
    chmod 0755 "${incoming}/$path"
done <<'KUBELAB_SOURCES'
${lines.join("\n")}
KUBELAB_SOURCES`;
    const wanted = files.map((path) => `${source(path).fingerprint} ${path}`);
    const keep = kept.map((path) => source(path).fingerprint);
    return {
        create: [
            ...rolloutComment(run),
            `once parts-${role}`,
            ...(verify ? [VERIFY] : []),
            fetch,
            listParts({ wanted, kept: keep }),
            linkParts(incoming, { wanted, kept: keep }),
        ],
    };
}
