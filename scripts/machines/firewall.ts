import { isOnPath, run, tryRun } from "./commands";
import { labNames } from "./names";

/** The rule as nft lists it. */
export function masqueradeRule(lab: string, network: string): string {
    return `ip saddr ${network} ip daddr != ${network} oifname != "${labNames(lab).bridge}" masquerade`;
}

/** Recreates the lab's own nftables table: its machines reach everything else under the host's addresses. */
export function renderTable(lab: string, network: string): string {
    const { table } = labNames(lab);
    return `table ip ${table}
delete table ip ${table}
table ip ${table} {
    chain postrouting {
        type nat hook postrouting priority srcnat; policy accept;
        ${masqueradeRule(lab, network)}
    }
}
`;
}

/**
 * Connects the lab's machines to the outside: address translation, and a rule that accepts their packets where the host
 * drops forwarded ones (as hosts with Docker do). @returns a warning where a firewall of another kind drops forwarded
 * packets
 */
export function openFirewall(lab: string, network: string): string | undefined {
    const dropping = droppingForwardChains(run("nft", ["--file", "-"], `${renderTable(lab, network)}list chains\n`));
    if (dropping.includes("ip filter FORWARD") && isOnPath("iptables")) {
        for (const rule of forwardRules(lab)) {
            if (!tryRun("iptables", ["--wait", "--check", "FORWARD", ...rule])) {
                run("iptables", ["--wait", "--insert", "FORWARD", ...rule]);
            }
        }
    }
    const others = dropping.filter((chain) => chain !== "ip filter FORWARD");
    return others.length === 0
        ? undefined
        : `The firewall of this host drops forwarded packets (${others.join(", ")}): let ${labNames(lab).bridge} through there, or the machines have no access beyond this host.`;
}

export function closeFirewall(lab: string): void {
    tryRun("nft", ["delete", "table", "ip", labNames(lab).table]);
    if (isOnPath("iptables")) {
        for (const rule of forwardRules(lab)) {
            while (tryRun("iptables", ["--wait", "--delete", "FORWARD", ...rule])) {
                // once for every time it is there
            }
        }
    }
}

/** `family table chain` of every chain that drops what it forwards by default, in the text of `nft list chains`. */
export function droppingForwardChains(listing: string): string[] {
    const found: string[] = [];
    let table = "";
    let chain = "";
    for (const line of listing.split("\n")) {
        table = /^table (\S+ \S+) \{/.exec(line)?.[1] ?? table;
        chain = /^\s+chain (\S+) \{/.exec(line)?.[1] ?? chain;
        if (/hook forward .*policy drop/.test(line) && !table.startsWith("ip6 ")) {
            found.push(`${table} ${chain}`);
        }
    }
    return found;
}

function forwardRules(lab: string): readonly (readonly string[])[] {
    const { bridge, table } = labNames(lab);
    return ["--in-interface", "--out-interface"].map((direction) => [
        ...[direction, bridge, "--match", "comment", "--comment", table, "--jump", "ACCEPT"],
    ]);
}
