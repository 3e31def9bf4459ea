import { parseIpvs } from "../../../scripts/inspect/ipvs";

/** In the kernel's format of /proc/net/ip_vs: net/netfilter/ipvs/ip_vs_ctl.c, `ip_vs_info_seq_show`. */
const TABLE = `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
TCP  0A200063:0050 rr 
  -> 0A630203:0050      Masq    1      2          7         
  -> 0A630104:1F90      Masq    0      0          0         
UDP  0A20000A:0035 rr 
FWM  00001234 sh persistent 10800 FFFFFFFF
  -> 0A630203:0000      Tunnel  1      0          0         
`;

test("the table of IPVS has services with their destinations, in addresses and ports as people write them", () => {
    expect(parseIpvs(TABLE)).toEqual([
        {
            ...{ protocol: "TCP", address: "10.32.0.99", port: 80, scheduler: "rr" },
            destinations: [
                { address: "10.99.2.3", port: 80, forward: "Masq", weight: 1, active: 2, inactive: 7 },
                { address: "10.99.1.4", port: 8080, forward: "Masq", weight: 0, active: 0, inactive: 0 },
            ],
        },
        { protocol: "UDP", address: "10.32.0.10", port: 53, scheduler: "rr", destinations: [] },
        {
            ...{ protocol: "FWM", scheduler: "sh" },
            destinations: [{ address: "10.99.2.3", port: 0, forward: "Tunnel", weight: 1, active: 0, inactive: 0 }],
        },
    ]);
});

test("a kernel without IPVS has none", () => {
    expect(parseIpvs("")).toEqual([]);
});
