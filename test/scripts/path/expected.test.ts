import { wrongRoute } from "../../../scripts/path/expected";
import { machine, world } from "../../support/path-world";

const worker = machine("worker-1", "10.240.0.21");
const route = (dst: string, gateway?: string, dev = "eth0"): Parameters<typeof wrongRoute>[3] => {
    const entry = { dst, dev, ...(gateway === undefined ? {} : { gateway }) };
    return { route: entry, entry };
};

describe("a route to a pod of another node", () => {
    test("is right by that node's address, and wrong by the default route, with what kubenet should have set", () => {
        const here = world("kubenet", [worker]);
        expect(wrongRoute(here, worker, "10.99.2.3", route("10.99.2.0/24", "10.240.0.22"))).toBeUndefined();
        expect(wrongRoute(here, worker, "10.99.2.3", route("default", "10.240.0.1"))).toEqual({
            why: "its route leads by the default route to 10.240.0.1 (dev eth0), and pod default/far is on worker-2",
            should: "10.99.2.0/24 via 10.240.0.22, set by kubenet.service",
            remedy: "scripts/lab ssh worker-1 -- systemctl reload kubenet",
        });
    });

    test("is wrong where there is none, for an address of its range that no pod has too", () => {
        const loss = wrongRoute(world("flannel", [worker]), worker, "10.99.2.200", {
            refused: "Network is unreachable",
        });
        expect(loss?.why).toContain("nowhere (Network is unreachable)");
        expect(loss?.should).toBe("10.99.2.0/24 via 10.240.0.22, set by flannel, from the Node objects");
    });

    test("is right into a tunnel", () => {
        const link = { ifindex: 9, ifname: "flannel.1", flags: [], mtu: 1450, operstate: "UNKNOWN", addr_info: [] };
        const network = { ...worker.network, links: [{ ...link, linkinfo: { info_kind: "vxlan" } }] };
        const tunnelled = machine("worker-1", "10.240.0.21", { network });
        expect(
            wrongRoute(
                world("flannel", [tunnelled]),
                tunnelled,
                "10.99.2.3",
                route("10.99.2.0/24", "10.99.2.0", "flannel.1"),
            ),
        ).toBeUndefined();
    });

    test("cannot be where the pod network is a bridge per node, nor from here", () => {
        const bridge = wrongRoute(
            world("bridge", [worker]),
            worker,
            "10.99.2.3",
            route("10.99.0.0/24", undefined, "cbr0"),
        );
        expect(bridge?.should).toContain("bridge has none");
        const here = machine("here", "10.240.0.1");
        expect(
            wrongRoute(world("kubenet", [here]), here, "10.99.2.3", route("default", "192.0.2.1"))?.should,
        ).toContain("this host has no route to pods");
    });
});
