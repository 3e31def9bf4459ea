import { wayTo } from "../../../scripts/inspect/routes";

const ROUTES = [
    "default via 10.240.0.1 dev eth0 ",
    "10.99.1.0/24 dev cbr0 proto kernel scope link src 10.99.1.1 ",
    "10.99.2.0/24 via 10.240.0.22 dev eth0 proto kubenet ",
    "unreachable 10.99.3.0/24 ",
    "10.240.0.0/24 dev eth0 proto kernel scope link src 10.240.0.21 ",
];

test("the longest prefix counts", () => {
    expect(wayTo(ROUTES, "10.99.2.7")).toMatchObject({ via: "10.240.0.22", device: "eth0" });
    expect(wayTo(ROUTES, "10.99.1.7")).toEqual({ line: ROUTES[1]?.trim(), device: "cbr0" });
    expect(wayTo(ROUTES, "192.0.2.1")).toMatchObject({ via: "10.240.0.1", line: "default via 10.240.0.1 dev eth0" });
});

test("a route that leads nowhere is none, and neither is there one without a default", () => {
    expect(wayTo(ROUTES, "10.99.3.1")).toBeUndefined();
    expect(wayTo(ROUTES.slice(1), "192.0.2.1")).toBeUndefined();
});
