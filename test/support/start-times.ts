import { parseSystemctlShow } from "../../scripts/cli/systemctl-show";
import type { Lab } from "./lab";

/** When each unit of a node was last started: what wasn't restarted has the same time as before. */
export function startTimes(lab: Lab, node: string): Record<string, string> {
    const units = [
        ...["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"],
        ...["containerd", "kubelet", "kube-proxy", "kubenet"],
    ];
    const text = lab.ssh(node, `systemctl show --property=Id,ActiveEnterTimestampMonotonic ${units.join(" ")}`);
    return Object.fromEntries(
        parseSystemctlShow(text).map((unit) => [unit["Id"] ?? "", unit["ActiveEnterTimestampMonotonic"] ?? ""]),
    );
}
