import type { Problem } from "./problems";
import type { Config } from "./schema";
import { nodeName } from "./nodes";
import type { HostSpec, Role } from "./types";

/** The machines of `kubelab:hosts` with their names: cp-1, worker-1 and so on in the order of the list, or their own. */
export function planHosts(hosts: Config["hosts"]): HostSpec[] {
    return hosts.map(({ name, privateAddress, machineId, ...host }, position) => {
        const index = hosts.slice(0, position + 1).filter(({ role }) => role === host.role).length;
        return {
            ...host,
            name: name ?? nodeName(host.role, index),
            privateAddress: privateAddress ?? host.address,
            ...(machineId === undefined ? {} : { machineId }),
        };
    });
}

/** The name of the nth machine of a role in the list. */
export function hostNames(hosts: readonly HostSpec[]): (role: Role, index: number) => string {
    return (role, index) => hosts.filter((host) => host.role === role)[index - 1]?.name ?? nodeName(role, index);
}

/** Two machines with one name or one address. */
export function refuseRepeatedHosts(hosts: readonly HostSpec[]): Problem[] {
    return (["name", "address", "privateAddress"] as const).flatMap((property) =>
        hosts.flatMap((host, position) => {
            const first = hosts.findIndex((other) => other[property] === host[property]);
            if (first === position || (property === "privateAddress" && host.privateAddress === host.address)) {
                return [];
            }
            const key = `hosts[${position}].${property}`;
            const problem = `is the ${property} of hosts[${first}] too`;
            return [{ key, value: host[property], problem, remedy: "every machine needs its own" }];
        }),
    );
}
