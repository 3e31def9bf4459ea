import { withoutProxy } from "../../../scripts/support/no-proxy";

test("hosts that need no proxy are added to those of both spellings, and gRPC's own list where there is one", () => {
    const none: NodeJS.ProcessEnv = {};
    withoutProxy(["10.241.0.10", "localhost"], none);
    expect(none).toEqual({ no_proxy: "10.241.0.10,localhost", NO_PROXY: "10.241.0.10,localhost" });

    const some: NodeJS.ProcessEnv = {
        no_proxy: "a.example, b.example",
        NO_PROXY: "b.example,.c.example",
        no_grpc_proxy: "d",
    };
    withoutProxy(["10.241.0.10"], some);
    const all = "a.example,b.example,.c.example,10.241.0.10";
    expect(some).toEqual({ no_proxy: all, NO_PROXY: all, no_grpc_proxy: "d,10.241.0.10" });
    withoutProxy(["10.241.0.10"], some);
    expect(some["no_proxy"]).toBe(all);
});
