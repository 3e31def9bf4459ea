import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A bash script for `ClusterAccess.tryAsRoot` on a control plane, as a path below scripts/cli: functions, of which a call follows. */
export function memberScript(path: string): string {
    return ["etcd/member-library.sh", path].map((each) => readFileSync(join(__dirname, "..", each), "utf8")).join("\n");
}
