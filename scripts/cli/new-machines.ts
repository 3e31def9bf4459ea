import type { ClusterSpec, NodeSpec, Role } from "../../components/cluster-spec/types";
import { type Choice, chooseDriver, type DriverName, type Hypervisor, hypervisor } from "../machines/choose-driver";
import { driverOf, readMachine } from "../machines/records";

/** What a driver makes. */
const MADE_BY: Readonly<Record<DriverName, string>> = {
    nspawn: "systemd-nspawn containers",
    qemu: "virtual machines of QEMU",
};

/** Choices by role, as people read them: `machines are systemd-nspawn containers: this host has no /dev/kvm`. */
export function describeMachines(choices: Readonly<Partial<Record<Role, Choice>>>): string {
    const { "control-plane": controlPlanes, worker: workers } = choices;
    const alike =
        controlPlanes !== undefined &&
        controlPlanes.driver === workers?.driver &&
        controlPlanes.because === workers.because;
    const roles = alike ? { machines: workers } : { "control planes": controlPlanes, workers };
    return Object.entries(roles)
        .flatMap(([role, choice]) =>
            choice === undefined ? [] : [`${role} are ${MADE_BY[choice.driver]}: ${choice.because}`],
        )
        .join("; ");
}

/**
 * What the machines of a local lab that are not there yet are going to be, and why.
 *
 * @param made what has made a node's machine on this host.
 * @returns undefined where all are there.
 */
export function describeNewMachines(
    { name, nodes, local }: ClusterSpec,
    made: (node: NodeSpec) => DriverName | undefined = (node) => madeBy(name, node),
    host: Hypervisor = hypervisor(),
): string | undefined {
    const missing = nodes.filter((node) => made(node) === undefined);
    if (local === undefined || missing.length === 0) {
        return undefined;
    }
    const choiceOf = (role: Role): Choice => {
        const [kept] = nodes.flatMap((node) => (node.role === role ? (made(node) ?? []) : []));
        return kept === undefined
            ? chooseDriver(role, local.driver[role], undefined, host)
            : { driver: kept, because: "the others are" };
    };
    return describeMachines(Object.fromEntries(missing.map(({ role }) => [role, choiceOf(role)])));
}

/** What has made a node's machine on this host; undefined where there is none. */
export function madeBy(lab: string, { name }: Pick<NodeSpec, "name">): DriverName | undefined {
    const record = readMachine(lab, name);
    return record && driverOf(record);
}
