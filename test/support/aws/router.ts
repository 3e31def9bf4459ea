import { addressAt, parseCidr, type Cidr } from "../../../components/cluster-spec/cidr";
import { run, tryRun } from "../../../scripts/machines/commands";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Account, publicAddressOf, type Route, type Rule } from "./model";

/** Where the played cloud meets this host, which is its internet. */
export interface Uplink {
    /** CIDR of two addresses: the host's, then the router's. */
    readonly network: string;
    /** CIDR of public addresses. */
    readonly publicAddresses: string;
}

/*
 * A VPC is a network namespace that routes; a subnet is a bridge in it, on which the machines' links are. Machines of a subnet reach each
 * other by hardware address, and those of other subnets by the router, as on EC2.
 */

export const bridgeOf = (subnetId: string): string => `sn${subnetId.slice(-12)}`;
export const linkOf = (networkInterfaceId: string): string => `ni${networkInterfaceId.slice(-12)}`;
const uplinkOf = (vpcId: string): string => `igw${vpcId.slice(-11)}`;
const UPLINK = "internet";

function range(text: string): Cidr {
    const parsed = parseCidr(text);
    if ("problem" in parsed) {
        throw new Error(`${text} ${parsed.problem}`);
    }
    return parsed;
}

export const hostAddress = ({ network }: Uplink): string => addressAt(range(network), 1);
const routerAddress = ({ network }: Uplink): string => addressAt(range(network), 2);

/** Gives a VPC its router. */
export function createRouter(vpcId: string): void {
    run("ip", ["netns", "add", vpcId]);
    run("ip", ["-n", vpcId, "link", "set", "lo", "up"]);
    for (const setting of [
        "net.ipv4.ip_forward=1",
        "net.bridge.bridge-nf-call-iptables=1",
        "net.ipv4.conf.all.rp_filter=0",
    ]) {
        run("ip", ["netns", "exec", vpcId, "sysctl", "-qw", setting]);
    }
}

export function deleteRouter(vpcId: string): void {
    if (existsSync(join("/run/netns", vpcId))) {
        run("ip", ["netns", "delete", vpcId]);
    }
}

/** Joins the router to this host. */
export function attachGateway(vpcId: string, uplink: Uplink): void {
    const host = uplinkOf(vpcId);
    run("ip", ["link", "add", host, "type", "veth", "peer", "name", UPLINK, "netns", vpcId]);
    run("ip", ["address", "add", `${hostAddress(uplink)}/30`, "dev", host]);
    run("ip", ["link", "set", host, "up"]);
    run("ip", ["-n", vpcId, "address", "add", `${routerAddress(uplink)}/30`, "dev", UPLINK]);
    run("ip", ["-n", vpcId, "link", "set", UPLINK, "up"]);
    run("ip", ["route", "replace", uplink.publicAddresses, "via", routerAddress(uplink), "dev", host]);
}

export function detachGateway(vpcId: string): void {
    tryRun("ip", ["link", "delete", uplinkOf(vpcId)]);
}

export function createSubnet(vpcId: string, subnetId: string, cidrBlock: string): void {
    const bridge = bridgeOf(subnetId);
    const { prefix } = range(cidrBlock);
    // A bridge without an address of its own takes that of a port: machines would lose their gateway whenever another one goes.
    const hardwareAddress = `02:${(subnetId.slice(-10).match(/../g) ?? []).join(":")}`;
    run("ip", ["-n", vpcId, "link", "add", bridge, "address", hardwareAddress, "type", "bridge"]);
    run("ip", ["-n", vpcId, "address", "add", `${addressAt(range(cidrBlock), 1)}/${prefix}`, "dev", bridge]);
    run("ip", ["-n", vpcId, "link", "set", bridge, "up"]);
}

export function deleteSubnet(vpcId: string, subnetId: string): void {
    tryRun("ip", ["-n", vpcId, "link", "delete", bridgeOf(subnetId)]);
}

/** Makes the router of every VPC route and filter as the account says now. */
export function applyNetwork(account: Account, uplink: Uplink): void {
    for (const vpcId of Object.keys(account.vpcs)) {
        if (existsSync(join("/run/netns", vpcId))) {
            run("ip", ["netns", "exec", vpcId, "nft", "--file", "-"], renderFirewall(account, vpcId));
            const { clear, set } = renderRoutes(account, vpcId, uplink);
            clear.forEach((command) => tryRun("ip", ["-n", vpcId, ...command.split(" ")]));
            run("ip", ["-n", vpcId, "-batch", "-"], set.map((line) => `${line}\n`).join(""));
        }
    }
}

/** What `ip` makes of the route tables: each one a table of the router, for what comes from its subnets. */
export function renderRoutes(
    account: Account,
    vpcId: string,
    uplink: Uplink,
): { readonly clear: readonly string[]; readonly set: readonly string[] } {
    const inVpc = ([, row]: readonly [string, { readonly vpcId: string }]): boolean => row.vpcId === vpcId;
    const subnets = Object.entries(account.subnets).filter(inVpc);
    const local = subnets.map(([id, { cidrBlock }]) => `${cidrBlock} dev ${bridgeOf(id)}`);
    const tables = Object.entries(account.routeTables)
        .filter(inVpc)
        .map(([tableId], position) => ({ tableId, number: 100 + position }));
    const set = tables.flatMap(({ tableId, number }) => {
        const routes = Object.values(account.routes).filter(({ routeTableId }) => routeTableId === tableId);
        const members = Object.values(account.associations).filter(({ routeTableId }) => routeTableId === tableId);
        return [
            ...local.map((route) => `route add ${route} table ${number}`),
            ...routes.map((route) => `route add ${target(account, route, uplink)} table ${number}`),
            // What no route leads to goes nowhere, and not on to the router's own table.
            `route add unreachable default metric 4278198272 table ${number}`,
            ...members.map(({ subnetId }) => `rule add iif ${bridgeOf(subnetId)} lookup ${number} pref ${number}`),
        ];
    });
    return {
        clear: [
            ...Object.keys(account.subnets).flatMap(() => tables.map(({ number }) => `rule del pref ${number}`)),
            ...tables.map(({ number }) => `route flush table ${number}`),
        ],
        set,
    };
}

function target(
    account: Account,
    { destinationCidrBlock, gatewayId, networkInterfaceId }: Route,
    uplink: Uplink,
): string {
    const to = destinationCidrBlock === "0.0.0.0/0" ? "default" : destinationCidrBlock;
    if (gatewayId !== undefined) {
        return `${to} via ${hostAddress(uplink)} dev ${UPLINK}`;
    }
    const instance = Object.values(account.instances).find((each) => each.networkInterfaceId === networkInterfaceId);
    // https://docs.aws.amazon.com/vpc/latest/userguide/RouteTables.html: a route whose target is gone is a blackhole.
    return instance === undefined
        ? `blackhole ${to}`
        : `${to} via ${instance.privateIp} dev ${bridgeOf(instance.subnetId)}`;
}

/** Mark of packets that belong to a connection that a rule has let through. */
const KNOWN = 1;

/**
 * The router's nftables rules: security groups on each machine's link, which let answers through
 * (https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html), the source/destination check
 * (https://docs.aws.amazon.com/vpc/latest/userguide/work-with-nat-instances.html#EIP_Disable_SrcDestCheck), and the addresses' mapping at
 * the internet gateway.
 *
 * Bridges hand packets to the router's connection tracking (br_netfilter) before the rules of the bridge's own family see them: the
 * mark carries its answer there.
 */
export function renderFirewall(account: Account, vpcId: string): string {
    const mine = Object.entries(account.instances).filter(
        ([, { subnetId }]) => account.subnets[subnetId]?.vpcId === vpcId,
    );
    const chains = mine.flatMap(([, instance]) => {
        const link = linkOf(instance.networkInterfaceId);
        const own = instance.sourceDestCheck ? [instance.privateIp] : [];
        return [
            chain(`from_${link}`, [
                ...own.map((address) => `ip saddr != ${address} drop`),
                `meta mark & ${KNOWN} == ${KNOWN} accept`,
                ...rulesOf(account, instance.groups, "egress"),
                "drop",
            ]),
            chain(`to_${link}`, [
                ...own.map((address) => `ip daddr != ${address} drop`),
                `meta mark & ${KNOWN} == ${KNOWN} accept`,
                ...rulesOf(account, instance.groups, "ingress"),
                "drop",
            ]),
        ];
    });
    const jumps = (keyword: string, prefix: string): string[] =>
        mine.map(([, { networkInterfaceId }]) => {
            const link = linkOf(networkInterfaceId);
            return `${keyword} "${link}" jump ${prefix}_${link}`;
        });
    const mapped = mine.flatMap(([id, { privateIp }]) => {
        const publicIp = publicAddressOf(account, id);
        return publicIp === undefined ? [] : [{ privateIp, publicIp }];
    });
    const table = (family: string, name: string, body: readonly string[]): string =>
        `table ${family} ${name}\ndelete table ${family} ${name}\ntable ${family} ${name} {\n${body.join("\n")}\n}\n`;
    return [
        table("bridge", "groups", [
            ...chains,
            chain("enter", [
                "type filter hook prerouting priority 10; policy accept;",
                "meta protocol != ip accept",
                ...jumps("iifname", "from"),
            ]),
            chain("leave", [
                "type filter hook postrouting priority 0; policy accept;",
                "meta protocol != ip accept",
                ...jumps("oifname", "to"),
            ]),
        ]),
        table("inet", "connections", [
            chain("known", [
                "type filter hook prerouting priority mangle; policy accept;",
                `ct state established,related meta mark set ${KNOWN}`,
                // An address that is nobody's doesn't answer.
                `iifname "${UPLINK}" ct state new ip daddr != { ${["127.0.0.1", ...mapped.map(({ publicIp }) => publicIp)].join(", ")} } drop`,
            ]),
            // https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Internet_Gateway.html: without a public address there is no way out.
            chain("gateway", [
                "type filter hook forward priority filter; policy accept;",
                `oifname "${UPLINK}" ip saddr != { ${["127.0.0.1", ...mapped.map(({ privateIp }) => privateIp)].join(", ")} } drop`,
            ]),
        ]),
        table("ip", "addresses", [
            chain("in", [
                "type nat hook prerouting priority dstnat; policy accept;",
                ...mapped.map(
                    ({ publicIp, privateIp }) => `iifname "${UPLINK}" ip daddr ${publicIp} dnat to ${privateIp}`,
                ),
            ]),
            chain("out", [
                "type nat hook postrouting priority srcnat; policy accept;",
                ...mapped.map(
                    ({ publicIp, privateIp }) => `oifname "${UPLINK}" ip saddr ${privateIp} snat to ${publicIp}`,
                ),
            ]),
        ]),
    ].join("");
}

function chain(name: string, lines: readonly string[]): string {
    return `    chain ${name} {\n${lines.map((line) => `        ${line}\n`).join("")}    }`;
}

function rulesOf(account: Account, groups: readonly string[], direction: Rule["direction"]): string[] {
    const side = direction === "ingress" ? "saddr" : "daddr";
    return Object.values(account.rules)
        .filter((rule) => rule.direction === direction && groups.includes(rule.securityGroupId))
        .flatMap((rule) => {
            const peers =
                rule.cidrIpv4 === undefined
                    ? membersOf(account, rule.referencedSecurityGroupId ?? "")
                    : [rule.cidrIpv4];
            return peers.map((peer) => `${peer === "0.0.0.0/0" ? "" : `ip ${side} ${peer} `}${traffic(rule)}accept`);
        });
}

/** A group in a rule stands for its members' own addresses: https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html */
function membersOf(account: Account, group: string): string[] {
    return Object.values(account.instances)
        .filter(({ groups }) => groups.includes(group))
        .map(({ privateIp }) => privateIp);
}

function traffic({ ipProtocol, fromPort, toPort }: Rule): string {
    if (ipProtocol === "-1") {
        return "";
    }
    const ports = ["tcp", "udp"].includes(ipProtocol) ? `${ipProtocol} dport ${fromPort}-${toPort} ` : "";
    return ports === "" ? `ip protocol ${ipProtocol} ` : ports;
}
