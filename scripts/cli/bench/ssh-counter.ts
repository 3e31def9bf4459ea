import { run, tryRun } from "../../machines/commands";

interface Element {
    readonly elem: { readonly val: string; readonly counter: { readonly bytes: number } };
}

interface Listing {
    readonly nftables: readonly { readonly set?: { readonly elem?: readonly Element[] } }[];
}

/**
 * Counts what this host sends to each SSH server of a network, in an nftables table of its own: whole IP packets, so keys,
 * encryption and acknowledgements are in it. https://wiki.nftables.org/wiki-nftables/index.php/Counters
 */
export class SshCounter {
    private readonly table: string;

    /** @param network IPv4 CIDR */
    constructor(lab: string, network: string) {
        this.table = `kubelab-${lab}-ssh`;
        this.remove();
        run(
            "nft",
            ["-f", "-"],
            `table ip ${this.table} {
    set sent {
        type ipv4_addr
        flags dynamic
        size 4096
        counter
    }
    chain output {
        type filter hook output priority filter
        ip daddr ${network} tcp dport 22 update @sent { ip daddr }
    }
}
`,
        );
    }

    /** Bytes by address. */
    bytes(): ReadonlyMap<string, number> {
        const { nftables } = JSON.parse(run("nft", ["-j", "list", "set", "ip", this.table, "sent"])) as Listing;
        const elements = nftables.flatMap(({ set }) => set?.elem ?? []);
        return new Map(elements.map(({ elem }) => [elem.val, elem.counter.bytes]));
    }

    remove(): void {
        tryRun("nft", ["delete", "table", "ip", this.table]);
    }
}
