import type { Lab } from "./lab";

/** etcdctl on a control plane, for its own member. */
export const ETCDCTL =
    "etcdctl --endpoints https://127.0.0.1:2379 --cacert /etc/etcd/ca.crt --cert /etc/etcd/client.crt --key /etc/etcd/client.key";

/** Names of etcd's members that have a vote, in alphabetical order, as this machine sees them. */
export function voters(lab: Lab, node: string): string[] {
    const lines = lab.ssh(node, `${ETCDCTL} member list`).trim().split("\n");
    const fields = lines.map((line) => line.split(", "));
    return fields
        .filter((each) => each[5] === "false")
        .map((each) => each[2] ?? "")
        .sort();
}
