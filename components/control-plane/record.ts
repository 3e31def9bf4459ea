import { quote } from "../steps/script";
import { keptForLife } from "../cluster-spec/immutable";
import type { ClusterSpec } from "../cluster-spec/types";
import { minorOf, UPGRADE_RULES } from "../cluster-spec/version-rules";

/** What the cluster on a control-plane machine was built with: `key=value` lines. */
const RECORD = "/var/lib/kubelab/cluster";

/**
 * Statements that refuse to work on a machine whose cluster was built with something else that can't change, and record what it is
 * built with otherwise: the last line of defence where the stack's own outputs are lost.
 */
export function keepRecord(spec: ClusterSpec): string[] {
    const record = Object.entries(keptForLife(spec))
        .map(([key, value]) => `${key}=${value}`)
        .join("\n");
    return [
        refuseOlder("kubernetes", spec),
        refuseOlder("etcd", spec),
        "declare -A was=()",
        `if [ -e ${RECORD} ]; then while IFS='=' read -r key value; do was[$key]=$value; done <${RECORD}; fi`,
        "while IFS='=' read -r key value; do",
        `    [ "\${was[$key]:-$value}" = "$value" ] || fail "kubelab:$key: '$value' can't replace '\${was[$key]}' while the cluster is running: set it back, or destroy the cluster first"`,
        `done <<<${quote(record)}`,
        `make_directories ${RECORD.slice(0, RECORD.lastIndexOf("/"))}`,
        `printf '%s\\n' ${quote(record)} >${RECORD}`,
    ];
}

type WritesData = keyof typeof UPGRADE_RULES;

/** The statement that refuses a minor version before the newest that has run here, though its rollout may have stopped half-way. */
function refuseOlder(part: WritesData, { versions }: ClusterSpec): string {
    return `refuse_older ${part} ${minorOf(versions[part])} ${UPGRADE_RULES[part]}`;
}

/** The statement that says which version writes data from now on. */
export function noteVersion(part: WritesData, { versions }: ClusterSpec): string {
    return `note_version ${part} ${minorOf(versions[part])}`;
}
