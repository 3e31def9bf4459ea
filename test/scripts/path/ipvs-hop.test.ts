import type { IpvsService } from "../../../scripts/inspect/ipvs";
import { ipvsHop, usesIpvs } from "../../../scripts/path/ipvs-hop";
import type { PacketHead } from "../../../scripts/path/trace";
import type { Machine } from "../../../scripts/path/world";
import { machine, world } from "../../support/path-world";

const packet = (address: string): PacketHead => ({
    ...{ source: { address: "10.99.1.2", port: 61_000 }, destination: { address, port: 80 } },
    ...{ protocol: "TCP", dscp: 43, id: 1, flags: 2 },
});
const entry = { protocol: "TCP", address: "10.32.0.99", port: 80, scheduler: "rr" };
const to = { address: "10.99.2.3", port: 80, forward: "Masq", weight: 1, active: 0, inactive: 0 };
const withIpvs = (...ipvs: readonly IpvsService[]): Machine =>
    machine("worker-1", "10.240.0.21", { rules: { chains: [], rules: [], legacy: {}, ipvs } });

test("an entry of IPVS sends a service's packet to one of its pods", () => {
    const worker = withIpvs({ ...entry, destinations: [to] });
    expect(usesIpvs(worker)).toBe(true);
    const hop = ipvsHop(world("kube-router", [worker]), worker, "request", packet("10.32.0.99"), packet("10.99.2.3"));
    expect(hop).toMatchObject({ place: "ipvs", component: "kube-router", seen: true });
    expect(hop.what).toBe(
        "service default/web, destination 10.32.0.99:80 → 10.99.2.3:80 (pod default/far), rr of 10.99.2.3:80",
    );
    expect(hop.lost).toBeUndefined();
});

test("a packet is lost at IPVS without an entry, or without a pod in it", () => {
    const none = withIpvs();
    const why = (worker: typeof none): string | undefined =>
        ipvsHop(world("kube-router", [worker]), worker, "request", packet("10.32.0.99"), undefined).lost?.why;
    expect(why(none)).toBe("the IPVS table has no entry for TCP 10.32.0.99:80");
    expect(why(withIpvs({ ...entry, destinations: [{ ...to, weight: 0 }] }))).toContain("has no pod to send to");
});
