import type { ClusterSpec } from "../../cluster-spec/types";
import { PROBE } from "./endpoint-address";
import { portsOf } from "./ports";
import type { Finding, InspectedHost } from "./rules";

/** An attempt to connect from one host to a port of another. */
export interface Attempt {
    readonly to: InspectedHost;
    readonly port: number;
    readonly process: string;
}

/** What a host has to reach: the TCP ports of the others that nodes connect to. Ports of UDP don't answer to tell. */
export function attemptsFrom(from: InspectedHost, hosts: readonly InspectedHost[], spec: ClusterSpec): Attempt[] {
    const isControlPlane = from.host.role === "control-plane";
    return hosts
        .filter(({ host }) => host.name !== from.host.name)
        .flatMap((to) =>
            portsOf(spec, to.host.role)
                .filter(({ protocol }) => protocol === "tcp")
                .filter((each) => each.from !== "itself" && (each.from !== "control planes" || isControlPlane))
                .map(({ port, process }) => ({ to, port, process })),
        );
}

/**
 * The bash script that makes them, in parallel, as any user. A port that nobody listens on yet refuses the connection,
 * which says that packets come there and back; a firewall lets it run out of time, or sends word that it isn't allowed.
 *
 * @param probe an address that nobody is to have.
 */
export function reachScript(
    attempts: readonly Attempt[],
    probe?: { readonly address: string; readonly port: number },
): string {
    const lines = attempts.map(({ to, port }, index) => `try ${index} ${to.host.privateAddress} ${port} &`);
    const routes = [...new Set(attempts.map(({ to }) => to.host.privateAddress))].map((address) => `route ${address}`);
    return `export LC_ALL=C PATH=$PATH:/usr/sbin:/sbin
try() {
    local answer
    answer=$(timeout 3 bash -c "</dev/tcp/$2/$3" 2>&1)
    case $?:$answer in
        0:* | *'Connection refused'*) echo "$1 yes" ;;
        124:*) echo "$1 no no answer within three seconds" ;;
        *) echo "$1 no \${answer##*: }" ;;
    esac
}
route() { [[ $(ip -o route get "$1") != *' via '* ]] || echo "routed $1"; }
${probe === undefined ? "" : `${PROBE}\nprobe ${probe.address} ${probe.port} &\n`}${lines.join("\n")}
${routes.join("\n")}
wait
echo end
`;
}

/**
 * What the answers of a host mean.
 *
 * @throws Error where the text isn't whole.
 */
export function checkReach(
    from: InspectedHost,
    attempts: readonly Attempt[],
    text: string,
    spec: ClusterSpec,
): Finding[] {
    const lines = text.split("\n").filter((line) => line !== "");
    if (!lines.includes("end")) {
        throw new Error("the answer about other hosts breaks off");
    }
    const blocked = lines.flatMap((line) => {
        const [, index = "", why = ""] = /^(\d+) no (.*)$/.exec(line) ?? [];
        const attempt = attempts[Number(index)];
        return index === "" || attempt === undefined ? [] : [{ ...attempt, why }];
    });
    const routed = lines.flatMap((line) => /^routed (.*)$/.exec(line)?.[1] ?? []);
    return [...byHost(from, blocked), ...acrossRouters(from, routed, spec)];
}

function byHost(from: InspectedHost, blocked: readonly (Attempt & { readonly why: string })[]): Finding[] {
    const names = [...new Set(blocked.map(({ to }) => to.host.name))];
    return names.map((name) => {
        const ports = blocked.filter(({ to }) => to.host.name === name);
        const { host, report } = ports[0]?.to ?? from;
        const firewall = report.firewalls[0];
        const list = ports.map(({ port, process }) => `${port} (${process})`).join(", ");
        return {
            host: from.host.name,
            problem: `can't reach TCP ${list} of ${name} at ${host.privateAddress}: ${ports[0]?.why ?? ""}`,
            remedy:
                firewall === undefined
                    ? `open them between the nodes, in ${name}'s firewall and in what is before it`
                    : `open them to ${from.host.privateAddress} in ${name}'s ${firewall}`,
        };
    });
}

/** Packets of pods go to the other node as they are, without a tunnel: no router on the way knows where they belong. */
function acrossRouters(from: InspectedHost, routed: readonly string[], spec: ClusterSpec): Finding[] {
    const plain = spec.network === "kubenet" || (spec.network === "cni" && spec.overlay === "none");
    return plain && routed.length > 0
        ? [
              {
                  host: from.host.name,
                  problem: `reaches ${routed.join(", ")} by way of a router, which doesn't know the pods' addresses`,
                  remedy: 'use hosts of one subnet, or set kubelab:network to "cni" with kubelab:overlay "subnet"',
              },
          ]
        : [];
}
