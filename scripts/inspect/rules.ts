import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ClusterAccess } from "../cli/cluster-access";
import { run } from "../cli/run";
import type { StackNode } from "../cli/stack";
import { type IpvsService, parseIpvs } from "./ipvs";

/** Where a rule is. */
export interface RulePlace {
    /** `ip`, `ip6`, `inet`, `bridge`, `netdev` */
    readonly family: string;
    readonly table: string;
    readonly chain: string;
    /** The kernel's number of the rule in its table. */
    readonly handle: number;
}

/** A chain that the kernel calls by itself. */
export interface BaseChain {
    readonly family: string;
    readonly table: string;
    readonly name: string;
    /** `prerouting`, `input`, `forward`, `output`, `postrouting` */
    readonly hook: string;
    readonly priority: number;
    readonly policy: string;
}

/** A rule of the kernel. */
export interface Rule extends RulePlace {
    /** As iptables has it, `-A FORWARD -j …`, where that made it. */
    readonly iptables?: string;
    readonly comment?: string;
}

/** The packet rules of one machine, as its kernel has them now. */
export interface MachineRules {
    readonly chains: readonly BaseChain[];
    readonly rules: readonly Rule[];
    /** Rules of iptables' older kernel interface, in its words, by `table chain`. */
    readonly legacy: Readonly<Record<string, readonly string[]>>;
    readonly ipvs: readonly IpvsService[];
}

interface NftChain {
    readonly family: string;
    readonly table: string;
    readonly name: string;
    readonly hook?: string;
    readonly prio?: number;
    readonly policy?: string;
}

interface NftObject {
    readonly chain?: NftChain;
    readonly rule?: RulePlace & { readonly comment?: string };
}

const script = (): string => readFileSync(join(__dirname, "rules.sh"), "utf8");

/** @throws Error with what the machine said where its rules can't be read. */
export async function readMachineRules(cluster: ClusterAccess, node: StackNode): Promise<MachineRules> {
    const { code, stdout, stderr } = await cluster.tryAsRoot(node, script(), 60);
    return parsed(node.name, code, stdout, stderr);
}

/** The same of this host. */
export async function readHostRules(): Promise<MachineRules> {
    const { code, stdout, stderr } = await run(["bash", "-s"], { input: script(), timeoutSeconds: 60 });
    return parsed("this host", code, stdout, stderr);
}

function parsed(machine: string, code: number, stdout: string, stderr: string): MachineRules {
    if (code !== 0) {
        throw new Error(`the packet rules of ${machine} can't be read: ${stderr.trim() || `exit code ${code}`}`);
    }
    return parseMachineRules(stdout);
}

/** What rules.sh prints. */
export function parseMachineRules(text: string): MachineRules {
    const read = JSON.parse(text) as {
        readonly nft: { readonly nftables: readonly NftObject[] };
        readonly iptables: string;
        readonly legacy: string;
        readonly ipvs: string;
    };
    const decoded = (base64: string): string => Buffer.from(base64, "base64").toString();
    const inWords = rulesByChain(decoded(read.iptables));
    const position = new Map<string, number>();
    const rules = read.nft.nftables.flatMap(({ rule }): Rule[] => {
        if (rule === undefined) {
            return [];
        }
        const { family, table, chain, handle, comment } = rule;
        // iptables has no handles, but the order of the rules in a chain is the kernel's.
        const at = position.get(`${family} ${table} ${chain}`) ?? 0;
        position.set(`${family} ${table} ${chain}`, at + 1);
        const iptables = family === "ip" ? inWords[`${table} ${chain}`]?.[at] : undefined;
        const said = comment ?? iptablesComment(iptables);
        return [
            {
                ...{ family, table, chain, handle },
                ...(iptables === undefined ? {} : { iptables }),
                ...(said === undefined ? {} : { comment: said }),
            },
        ];
    });
    const chains = read.nft.nftables.flatMap(({ chain }): BaseChain[] =>
        chain?.hook === undefined
            ? []
            : [
                  {
                      ...{ family: chain.family, table: chain.table, name: chain.name, hook: chain.hook },
                      ...{ priority: chain.prio ?? 0, policy: chain.policy ?? "accept" },
                  },
              ],
    );
    return { chains, rules, legacy: rulesByChain(decoded(read.legacy)), ipvs: parseIpvs(decoded(read.ipvs)) };
}

/** The rules in the text of iptables-save, by `table chain`, in order. */
export function rulesByChain(text: string): Record<string, string[]> {
    const found: Record<string, string[]> = {};
    let table = "";
    for (const line of text.split("\n")) {
        table = /^\*(\S+)/.exec(line)?.[1] ?? table;
        const chain = /^-A (\S+)/.exec(line)?.[1];
        if (chain !== undefined) {
            (found[`${table} ${chain}`] ??= []).push(line);
        }
    }
    return found;
}

function iptablesComment(rule: string | undefined): string | undefined {
    const [, quoted, word] = /--comment (?:"((?:[^"\\]|\\.)*)"|(\S+))/.exec(rule ?? "") ?? [];
    return quoted?.replace(/\\(.)/g, "$1") ?? word;
}
