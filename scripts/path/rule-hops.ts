import type { Rule } from "../inspect/rules";
import { slicesOf } from "../inspect/objects";
import { type Owner, ownerOfRule } from "./owner";
import type { PacketHead, TracedRule, Traversal } from "./trace";
import type { Endpoint, Hop, Loss } from "./types";
import { type Machine, podAt, serviceAt, serviceOfNodePort, type World } from "./world";

/** What changes a packet, decides on it, or marks it for what comes later. */
const DECIDES = /dnat|snat|masquerade|redirect|mark set|reject|\bMARK\b|DNAT|SNAT|MASQUERADE|REJECT/;

/** A hop for the rules of a base chain that did something to the packet; none where they all let it go on. */
export function ruleHop(
    world: World,
    machine: Machine,
    direction: Hop["direction"],
    traversal: Traversal,
    after: PacketHead,
): Hop[] {
    const rules = traversal.rules.map((traced) => ({ traced, rule: known(machine, traversal, traced) }));
    const deciding = rules.filter(({ traced, rule }) => decides(traced, rule));
    const lost = traversal.verdict === "drop";
    if (deciding.length === 0 && !lost) {
        return [];
    }
    const last = deciding.at(-1) ?? rules.at(-1);
    const chains = [traversal.chain, ...rules.map(({ traced }) => traced.chain)].filter(
        (chain, index, all) => chain !== all[index - 1],
    );
    const owner: Owner =
        last === undefined
            ? { component: "the chain's policy", set: { of: "unknown" }, isForeign: true }
            : ownerOfRule(last.rule, machine.evidence);
    const texts = deciding.map(({ traced, rule }) => words(traced, rule));
    return [
        {
            leg: "connection",
            direction,
            machine: machine.name,
            place: "rule",
            name: `${traversal.table} ${chains.join(" → ")}`,
            what: `${deciding.some(({ traced, rule }) => translates(traced, rule)) ? translated(world, traversal.packet, after) : ""}${texts.join("; ") || `policy ${traversal.verdict}`}`,
            component: owner.component,
            set: owner.set,
            command: machine.command(listing(traversal, last?.rule)),
            packet: { source: after.source, destination: after.destination },
            seen: true,
            ...(lost ? { lost: lossAt(world, machine, traversal, last?.rule, owner) } : {}),
        },
    ];
}

function decides({ verdict, text }: TracedRule, { iptables = "" }: Rule): boolean {
    return (
        verdict === "accept" ||
        verdict === "drop" ||
        DECIDES.test(text) ||
        /-j (MARK|DNAT|MASQUERADE|REJECT)/.test(iptables)
    );
}

/** Connection tracking replaces addresses too, of the answers, beside the rules that they pass. */
function translates({ text }: TracedRule, { iptables = "" }: Rule): boolean {
    return /\b(dnat|snat|masquerade|redirect)\b/.test(text) || /-j (DNAT|SNAT|MASQUERADE|REDIRECT)/.test(iptables);
}

/** The rule as it was read: by its handle. */
function known(machine: Machine, { family, table }: Traversal, { chain, handle }: TracedRule): Rule {
    return (
        machine.rules.rules.find(
            (rule) => rule.family === family && rule.table === table && rule.chain === chain && rule.handle === handle,
        ) ?? { family, table, chain, handle: handle ?? 0 }
    );
}

function words({ text }: TracedRule, { iptables }: Rule): string {
    return iptables ?? text;
}

/** `service default/web → pod default/web-1: `, where the destination was replaced. */
function translated(world: World, before: PacketHead, after: PacketHead): string {
    const parts: string[] = [];
    if (!same(before.destination, after.destination)) {
        const pod = podAt(world, after.destination.address);
        const service = serviceAt(world, before.destination.address) ?? serviceOfNodePort(world, before.destination);
        const from =
            service === undefined ? "" : `service ${service.metadata.namespace ?? ""}/${service.metadata.name}, `;
        const to = pod === undefined ? "" : ` (pod ${pod.metadata.namespace ?? ""}/${pod.metadata.name})`;
        parts.push(`${from}destination ${show(before.destination)} → ${show(after.destination)}${to}`);
    }
    if (!same(before.source, after.source)) {
        parts.push(`source ${show(before.source)} → ${show(after.source)}`);
    }
    return parts.length === 0 ? "" : `${parts.join(", ")}: `;
}

export function same(a: Endpoint, b: Endpoint): boolean {
    return a.address === b.address && a.port === b.port;
}

export function show({ address, port }: Endpoint): string {
    return `${address}:${port}`;
}

function listing({ family, table, chain }: Traversal, rule: Rule | undefined): string {
    const at = rule?.chain ?? chain;
    return rule?.iptables === undefined
        ? `nft list chain ${family} ${table} ${at}`
        : `iptables${table === "filter" ? "" : ` -t ${table}`} -S ${at}`;
}

function lossAt(
    world: World,
    machine: Machine,
    { packet, table, chain, family }: Traversal,
    rule: Rule | undefined,
    owner: Owner,
): Loss {
    const service = serviceAt(world, packet.destination.address) ?? serviceOfNodePort(world, packet.destination);
    if (service !== undefined && owner.component === "kube-proxy") {
        const { namespace = "", name } = service.metadata;
        const ready = slicesOf(service, world.objects).flatMap(({ endpoints = [] }) =>
            endpoints.filter(({ conditions }) => conditions?.ready !== false),
        );
        const selector = Object.entries(service.spec.selector ?? {}).map(([key, value]) => `${key}=${value}`);
        return {
            why: `kube-proxy refuses it: the service ${namespace}/${name} has ${ready.length === 0 ? "no ready endpoint" : "no endpoint for it"}`,
            should:
                selector.length === 0
                    ? "an EndpointSlice of the service with a ready endpoint (it has no selector)"
                    : `a ready pod with the labels ${selector.join(",")} in the namespace ${namespace}`,
            remedy: world.kubectl(
                `-n ${namespace} get pods,endpointslices -l ${selector.join(",") || `kubernetes.io/service-name=${name}`}`,
            ),
        };
    }
    const where = rule === undefined ? `the policy of the chain ${table} ${chain} is drop` : "this rule drops it";
    if (owner.component === "kube-router") {
        const pods = [packet.source, packet.destination].flatMap(({ address }) => podAt(world, address) ?? []);
        const [, named, namespace] = /POD name:(\S+) namespace: (\S+)/.exec(rule?.comment ?? "") ?? [];
        const names =
            named === undefined
                ? pods.map(({ metadata }) => `${metadata.namespace ?? ""}/${metadata.name}`)
                : [`${namespace ?? ""}/${named}`];
        return {
            why: `a NetworkPolicy refuses it (kube-router, chain ${rule?.chain ?? chain})`,
            should: `a NetworkPolicy that allows ${show(packet.source)} → ${show(packet.destination)}, or none that selects ${names.join(" or ") || "the pod"}`,
            remedy: world.kubectl("get networkpolicies --all-namespaces"),
        };
    }
    if (rule?.iptables !== undefined) {
        const words = rule.iptables.replace(/^-A /, "-D ");
        const option = table === "filter" ? "" : ` -t ${table}`;
        return {
            why: `${where}: ${rule.iptables}`,
            should: owner.isForeign === true ? "no such rule" : `no rule of ${owner.component} that drops it`,
            ...(owner.isForeign === true ? { remedy: machine.command(`iptables${option} ${words}`) } : {}),
        };
    }
    return {
        why: where,
        should: rule === undefined ? "a rule that accepts it" : "no such rule",
        ...(rule === undefined || owner.isForeign !== true
            ? {}
            : { remedy: machine.command(`nft delete rule ${family} ${table} ${rule.chain} handle ${rule.handle}`) }),
    };
}
