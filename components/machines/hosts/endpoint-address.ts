import { contains, parseAddress } from "../../cluster-spec/cidr";
import type { ClusterSpec } from "../../cluster-spec/types";
import type { Finding, InspectedHost } from "./rules";

/** The address that is to move between the control planes; none where it doesn't. */
function movingAddress({ api }: ClusterSpec): string | undefined {
    return api.moves ? api.address : undefined;
}

/** Whether it can be on each control plane: in the subnet of all of them, and none has it yet. */
export function checkEndpointAddress(hosts: readonly InspectedHost[], spec: ClusterSpec): Finding[] {
    const address = movingAddress(spec);
    if (address === undefined) {
        return [];
    }
    return hosts.flatMap(({ host, report }): Finding[] => {
        if (report.addresses.includes(address) && report.claim === undefined) {
            const problem = `has the address ${address} of kubelab:apiEndpoint already, which moves between the control planes`;
            return [{ host: host.name, problem, remedy: "take it off the host, or choose a free one" }];
        }
        const own = report.networks.find((network) => network.startsWith(`${host.privateAddress}/`));
        if (host.role === "worker" || own === undefined || inNetwork(own, address)) {
            return [];
        }
        const problem = `is in the network of ${own}, and the address ${address} of kubelab:apiEndpoint is not`;
        const remedy =
            "choose a free address of the subnet that all control planes are in; where they have no common one, set up a load balancer and give it as kubelab:apiEndpoint.loadBalancer";
        return [{ host: host.name, problem, remedy }];
    });
}

/** @param network an address in it with its prefix length. */
function inNetwork(network: string, address: string): boolean {
    const [member = "", length] = network.split("/");
    const [base, other, prefix] = [parseAddress(member), parseAddress(address), Number(length)];
    if (base === undefined || other === undefined) {
        return false;
    }
    const size = 2 ** (32 - prefix);
    return contains({ base: base - (base % size), prefix }, { base: other, prefix: 32 });
}

/** The address, where `from` is to look whether another machine has it: not while a host of this cluster does. */
export function addressToProbe(
    from: InspectedHost,
    hosts: readonly InspectedHost[],
    spec: ClusterSpec,
): string | undefined {
    const address = movingAddress(spec);
    const [first] = hosts.filter(({ host }) => host.role === "control-plane");
    const held = address !== undefined && hosts.some(({ report }) => report.addresses.includes(address));
    return first?.host.name !== from.host.name || held ? undefined : address;
}

/**
 * The bash function that says `taken MAC` where a machine of the subnet has the address: it was asked for, and has answered the kernel's
 * question who has it. What the kernel knew from before is asked anew, within ten seconds.
 */
export const PROBE = `probe() {
    local neighbour pattern
    timeout 3 bash -c "</dev/tcp/$1/$2" 2>/dev/null
    for _ in {1..20}; do
        neighbour=$(ip -4 neighbour show "$1")
        [[ $neighbour == *STALE* || $neighbour == *DELAY* || $neighbour == *PROBE* ]] || break
        sleep 0.5
    done
    pattern='lladdr ([0-9a-f:]+) .*REACHABLE'
    if [[ $neighbour =~ $pattern ]]; then echo "taken \${BASH_REMATCH[1]}"; fi
}`;

/** What the probe's answer means. */
export function checkProbe(from: InspectedHost, address: string | undefined, lines: readonly string[]): Finding[] {
    const mac = lines.flatMap((line) => /^taken (.*)$/.exec(line)?.[1] ?? [])[0];
    if (address === undefined || mac === undefined) {
        return [];
    }
    const problem = `sees the address ${address} of kubelab:apiEndpoint in use, by the network card ${mac}`;
    return [{ host: from.host.name, problem, remedy: "choose a free one, or end what has it" }];
}
