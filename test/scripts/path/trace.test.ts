import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseMachineRules } from "../../../scripts/inspect/rules";
import { crossings, parseTrace } from "../../../scripts/path/trace";

const read = (name: string): string => readFileSync(join(__dirname, "../../fixtures/path", name), "utf8");

/** Of a machine that replaces the address of a service and masquerades, as its kernel and nft 1.0.6 told it. */
const rules = parseMachineRules(read("masquerade.rules.json"));
const traversals = parseTrace(read("masquerade.trace"), rules.chains);

describe("the trace of a connection", () => {
    const { request, reply } = crossings(traversals, 43);

    test("has one crossing of the request, from the bridge to the other interface", () => {
        expect(request).toHaveLength(1);
        expect(request[0]?.entry?.packet).toMatchObject({
            input: "cbr0",
            source: { address: "10.9.1.2", port: 61123 },
            destination: { address: "10.32.0.1", port: 80 },
            protocol: "TCP",
            flags: 2,
        });
        expect(request[0]?.exit?.packet).toMatchObject({
            output: "vb0",
            source: { address: "10.9.2.1" },
            destination: { address: "10.9.2.2", port: 8080 },
        });
    });

    test("has the rules that matched, in order, each with hook, handle and verdict, and none of the watch's own", () => {
        const passed = request[0]?.passed.map(({ hook, table, rules: matched }) => ({
            hook,
            table,
            matched: matched.map(({ chain, handle, verdict }) => `${chain} ${handle ?? ""} ${verdict}`),
        }));
        expect(passed).toEqual([
            { hook: "prerouting", table: "nat", matched: ["PREROUTING 2 accept"] },
            {
                hook: "forward",
                table: "filter",
                matched: ["FORWARD 3 jump KUBENET-FORWARD", "KUBENET-FORWARD 4 accept"],
            },
            { hook: "postrouting", table: "nat", matched: ["POSTROUTING 4 accept"] },
        ]);
    });

    test("has the answer, known by its addresses, with the service's address again where it leaves", () => {
        expect(reply).toHaveLength(1);
        expect(reply[0]?.entry?.packet).toMatchObject({ input: "vb0", source: { address: "10.9.2.2", port: 8080 } });
        expect(reply[0]?.exit?.packet).toMatchObject({
            output: "cbr0",
            source: { address: "10.32.0.1", port: 80 },
            destination: { address: "10.9.1.2", port: 61123 },
        });
    });

    test("of another probe is not this one's", () => {
        expect(crossings(traversals, 7).request).toEqual([]);
    });
});

test("a refusal is an answer, though it has the request's DSCP", () => {
    const head = (id: number, flags: string): string =>
        `trace id ${id} inet kubelab-path-1 enter packet: iif "eth0" ip saddr 10.0.0.1 ip daddr 10.0.0.2 ip dscp 0x2b ip id ${id} tcp sport 1 tcp dport 2 tcp flags == ${flags}`;
    const { request, reply } = crossings(parseTrace([head(5, "0x2"), head(0, "0x14")].join("\n"), []), 43);
    expect([request.length, reply.length]).toEqual([1, 1]);
    expect(reply[0]?.entry?.packet.flags).toBe(0x14);
});

test("rules that iptables made are read in its own words, by their place in the chain", () => {
    expect(rules.rules.find(({ chain, handle }) => chain === "FORWARD" && handle === 3)).toMatchObject({
        iptables: '-A FORWARD -m comment --comment "kube stuff" -j KUBENET-FORWARD',
        comment: "kube stuff",
    });
    expect(rules.rules.find(({ chain }) => chain === "POSTROUTING")?.iptables).toBe(
        "-A POSTROUTING -s 10.9.1.0/24 -j MASQUERADE --random-fully",
    );
});

test("a packet that a policy drops ends there", () => {
    const text = [
        'trace id 1 ip filter FORWARD packet: iif "a" oif "b" ip saddr 10.0.0.1 ip daddr 10.0.0.2 ip dscp 0x2b ip id 5 tcp sport 1 tcp dport 2 tcp flags == 0x2',
        "trace id 1 ip filter FORWARD policy drop",
    ].join("\n");
    expect(parseTrace(text, [])).toMatchObject([{ verdict: "drop", rules: [], packet: { input: "a", output: "b" } }]);
});
