import { addressAt, type Cidr, formatCidr, sizeOfCidr } from "./cidr";
import type { DriverName } from "../../scripts/machines/contract";
import { PORTS } from "./ports";
import type { LocalSpec, NodeSpec, Role, VmSpec } from "./types";

const GATEWAY = 1;
const API = 10;
const FIRST: Readonly<Record<Role, number>> = { "control-plane": API, worker: 20 };

/** Prefix length of the smallest network that has an address for every machine; its last address is the broadcast. */
export function localPrefixFor(workers: number): number {
    return 32 - Math.ceil(Math.log2(FIRST.worker + Math.max(workers, 0) + 2));
}

/** Whether the network has an address for every machine. */
export function localNetworkHolds(network: Cidr, workers: number): boolean {
    return FIRST.worker + workers < sizeOfCidr(network) - 1;
}

/** The address of the workstation's loopback that stands for one of the lab's: `127.240.0.11` for `10.240.0.11`. */
function onLoopback(address: string): string {
    return address.replace(/^\d+/, "127");
}

/** Addresses of so many control planes. */
export function controlPlaneAddresses(network: Cidr, count: number): string[] {
    return Array.from({ length: count }, (_, position) => addressAt(network, FIRST["control-plane"] + position + 1));
}

/** What makes the machines of a role. */
export function driverOfRole({ virtual }: Pick<LocalSpec, "virtual">, role: Role): DriverName {
    return virtual.includes(role) ? "qemu" : "nspawn";
}

/**
 * The addresses of a lab on this host.
 *
 * @throws RangeError where the network is too small for the nodes.
 */
export function planLocal(
    network: Cidr,
    settings: Pick<LocalSpec, "registryPort" | "preloadParts" | "driver" | "virtual" | "networking"> & VmSpec,
    nodes: readonly NodeSpec[],
): LocalSpec {
    const { cpus, memory, disk, accelerator, networking } = settings;
    const gateway = addressAt(network, GATEWAY);
    const apiAddress = addressAt(network, API);
    const addresses = Object.fromEntries(
        nodes.map(({ name, role, index }) => [name, addressAt(network, FIRST[role] + index)]),
    );
    const outer = networking === "user" ? onLoopback : (address: string): string => address;
    return {
        network: formatCidr(network),
        prefixLength: network.prefix,
        gateway,
        apiAddress,
        addresses,
        networking,
        outer: {
            gateway: outer(gateway),
            apiAddress: outer(apiAddress),
            addresses: Object.fromEntries(Object.entries(addresses).map(([name, each]) => [name, outer(each)])),
            sshPort: networking === "user" ? PORTS.forwardedSsh : PORTS.ssh,
        },
        registryPort: settings.registryPort,
        preloadParts: settings.preloadParts,
        driver: settings.driver,
        virtual: settings.virtual,
        vm: { cpus, memory, disk, accelerator },
    };
}
