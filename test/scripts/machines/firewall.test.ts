import { droppingForwardChains, renderTable } from "../../../scripts/machines/firewall";

describe("the host's firewall", () => {
    it("gets one table of the lab's own and translates only what leaves the lab", () => {
        expect(renderTable("kubenet", "10.240.0.0/24")).toMatchInlineSnapshot(`
            "table ip kubelab-kubenet
            delete table ip kubelab-kubenet
            table ip kubelab-kubenet {
                chain postrouting {
                    type nat hook postrouting priority srcnat; policy accept;
                    ip saddr 10.240.0.0/24 ip daddr != 10.240.0.0/24 oifname != "lab-kubenet" masquerade
                }
            }
            "
        `);
    });

    it("is seen to drop forwarded packets by chains of a forward hook with that policy only", () => {
        const listing = `table ip filter {
	chain INPUT {
		type filter hook input priority filter; policy drop;
	}
	chain FORWARD {
		type filter hook forward priority filter; policy drop;
	}
}
table ip6 filter {
	chain FORWARD {
		type filter hook forward priority filter; policy drop;
	}
}
table inet guard {
	chain pass {
		type filter hook forward priority 10; policy drop;
	}
	chain through {
		type filter hook forward priority 20; policy accept;
	}
}
`;
        expect(droppingForwardChains(listing)).toEqual(["ip filter FORWARD", "inet guard pass"]);
    });
});
