import { type Cidr, contains, formatCidr, parseAddress } from "./cidr";
import { planHosts } from "./hosts";
import { nodeCounts } from "./node-counts";
import { PORTS } from "./ports";
import type { Problem } from "./problems";
import type { Config } from "./schema";
import type { ApiEndpointSpec } from "./types";

/** The endpoint that AWS makes, in the place of one that the config has. */
export const AWS_ENDPOINT = "the load balancer";

type Endpoint = Config["apiEndpoint"];

/** `kubelab:apiEndpoint` as one text, for a comparison: `192.168.1.5`, or `lb.example:6443`. Missing where nothing is set. */
export function formatEndpoint({ address, loadBalancer }: Endpoint): string | undefined {
    return loadBalancer === undefined ? address : `${loadBalancer.host}:${loadBalancer.port}`;
}

/**
 * How the API is reached, of a cluster that has one control plane or several.
 *
 * @param args `own` is the address where the machines decide it, `members` the addresses of the control planes, now and before.
 */
export function planApi(
    { apiEndpoint, clusterDomain }: Pick<Config, "apiEndpoint" | "clusterDomain">,
    args: {
        readonly lab: string;
        readonly apiServiceIp: string;
        readonly own: string | undefined;
        readonly highlyAvailable: boolean;
        readonly members: readonly string[];
        /** AWS makes it. */
        readonly balanced: boolean;
    },
): ApiEndpointSpec {
    const { lab, apiServiceIp, own, highlyAvailable, members } = args;
    const { loadBalancer } = apiEndpoint;
    const name = `api.${lab}`;
    const address = apiEndpoint.address ?? own;
    const moves = highlyAvailable && !args.balanced && loadBalancer === undefined;
    return {
        name,
        ...(address === undefined ? {} : { address }),
        moves,
        holders: moves ? [...new Set(members)] : [],
        port: PORTS.apiServer,
        ...(loadBalancer === undefined ? {} : { loadBalancer }),
        dnsNames: [
            ...["kubernetes", "kubernetes.default", "kubernetes.default.svc"],
            ...[`kubernetes.default.svc.${clusterDomain}`, name, "localhost"],
        ],
        ipAddresses: ["127.0.0.1", apiServiceIp, ...(address === undefined ? [] : [address])],
    };
}

/** An endpoint that the cluster lacks, or that is in the way of something. */
export function checkEndpoint(config: Partial<Config>): Problem[] {
    const { provider, hosts, apiEndpoint, controlPlanes, workers } = config;
    const complete = hosts !== undefined && controlPlanes !== undefined && workers !== undefined;
    if (provider !== "hosts" || !complete || apiEndpoint === undefined) {
        return [];
    }
    const { controlPlanes: count } = nodeCounts({ provider, controlPlanes, workers, hosts });
    if (formatEndpoint(apiEndpoint) === undefined) {
        const problem = `is missing, and kubelab:hosts lists ${count} control planes: the API needs an address that outlives one of them`;
        const remedy =
            'give a free address of their subnet, {address: "192.168.1.5"}, or a load balancer of your own, {loadBalancer: "lb.example:6443"}';
        return count === 3 || count === 5 ? [{ key: "apiEndpoint", value: undefined, problem, remedy }] : [];
    }
    return apiEndpoint.address === undefined ? [] : refuseTaken(apiEndpoint.address, hosts, config);
}

function refuseTaken(address: string, hosts: Config["hosts"], { podCidr, serviceCidr }: Partial<Config>): Problem[] {
    const refuse = (problem: string): Problem[] => {
        const remedy = "choose a free address of the control planes' subnet, which no DHCP server gives to anybody";
        return [{ key: "apiEndpoint.address", value: address, problem, remedy }];
    };
    const owner = planHosts(hosts).find((host) => host.address === address || host.privateAddress === address);
    if (owner !== undefined) {
        return refuse(`is the address of ${owner.name}, and this one moves between the control planes`);
    }
    const base = parseAddress(address);
    const ranges: readonly (readonly [string, Cidr | undefined])[] = [
        ["podCidr", podCidr],
        ["serviceCidr", serviceCidr],
    ];
    return ranges.flatMap(([key, range]) =>
        range !== undefined && base !== undefined && contains(range, { base, prefix: 32 })
            ? refuse(`lies in kubelab:${key} ${formatCidr(range)}`)
            : [],
    );
}

/** What a cluster that is running can't make of its endpoint: kubeconfigs everywhere have it. */
export function refuseOtherEndpoint(
    was: string | undefined,
    next: { readonly apiEndpoint: string | undefined; readonly onAws: boolean; readonly controlPlanes: number },
): Problem[] {
    const { apiEndpoint: wanted, onAws, controlPlanes: count } = next;
    const key = onAws ? "aws.loadBalancer" : "apiEndpoint";
    const value = onAws ? wanted !== undefined : wanted;
    const refuse = (problem: string, remedy: string): Problem[] => [{ key, value, problem, remedy }];
    if (was !== undefined && was !== wanted) {
        const problem = `can't replace ${was} while the cluster is running: kubeconfigs have it`;
        return refuse(problem, `set it back to ${was}, or destroy the cluster first`);
    }
    if (was === undefined && wanted !== undefined && count > 1) {
        return refuse(
            "comes together with more control planes, and kubeconfigs of this cluster have the address of the only one",
            "first run 'up' with it and one control plane, and give the new kubeconfig to whoever has one; add the others then",
        );
    }
    return [];
}
