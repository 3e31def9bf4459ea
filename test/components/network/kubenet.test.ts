import { spawnSync } from "node:child_process";
import { cniConfiguration, type Neighbour, routeScript } from "../../../components/network/kubenet";
import { shellcheck, syntaxErrors, testWith } from "../../support/bash";

const CP: Neighbour = { name: "cp-1", address: "10.240.0.11", podCidr: "10.99.255.0/24", podGateway: "10.99.255.1" };
const ONE: Neighbour = { name: "worker-1", address: "10.240.0.21", podCidr: "10.99.1.0/24", podGateway: "10.99.1.1" };
const TWO: Neighbour = { name: "worker-2", address: "10.240.0.22", podCidr: "10.99.2.0/24", podGateway: "10.99.2.1" };
const ALL = [CP, ONE, TWO];
const POD_CIDR = "10.99.0.0/16";

describe("the CNI configuration of a node", () => {
    const configuration = cniConfiguration({ podCidr: "10.99.1.0/24", podGateway: "10.99.1.1" });

    test("is a bridge with the node's own range and host ports", () => {
        expect(JSON.parse(configuration)).toEqual({
            cniVersion: "1.0.0",
            name: "kubenet",
            plugins: [
                {
                    type: "bridge",
                    bridge: "cbr0",
                    isGateway: true,
                    ipMasq: false,
                    hairpinMode: true,
                    ipam: {
                        type: "host-local",
                        ranges: [[{ subnet: "10.99.1.0/24", gateway: "10.99.1.1" }]],
                        routes: [{ dst: "0.0.0.0/0" }],
                    },
                },
                { type: "portmap", capabilities: { portMappings: true } },
            ],
        });
    });
});

describe("the script of a node's routes and rules", () => {
    test("reads as what it does", () => {
        expect(routeScript(ONE, ALL, POD_CIDR)).toMatchSnapshot();
    });

    test("has no routes in an early step of the bring-up, and lets in what Docker lets in", () => {
        const early = routeScript(ONE, ALL, POD_CIDR, { routes: false, rules: false });
        expect(early).not.toMatch(/^ *route 10/m);
        expect(early).toContain("iptables --wait -P FORWARD DROP");
        expect(early.match(/^-A KUBENET-FORWARD .*$/gm)).toEqual([
            "-A KUBENET-FORWARD -i cbr0 -j ACCEPT",
            "-A KUBENET-FORWARD -o cbr0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        ]);
    });

    test("is bash, also for the only node there is and in an early step", () => {
        const early = routeScript(ONE, ALL, POD_CIDR, { routes: false, rules: false });
        const scripts = { early, many: routeScript(ONE, ALL, POD_CIDR), single: routeScript(CP, [CP], POD_CIDR) };
        expect(syntaxErrors(scripts)).toEqual({});
    });

    testWith("shellcheck")("passes shellcheck, also for the only node there is", () => {
        const scripts = { many: routeScript(ONE, ALL, POD_CIDR), single: routeScript(CP, [CP], POD_CIDR) };
        expect(shellcheck(scripts)).toBe("");
    });
});

const canIsolate =
    spawnSync("unshare", [
        "--net",
        "sh",
        "-c",
        "ip link add name x0 type veth peer name x1 && iptables -t nat -L >/dev/null",
    ]).status === 0;
const inNamespace = canIsolate ? describe : describe.skip;

inNamespace(`run in a network namespace${canIsolate ? "" : " (needs root, ip and iptables)"}`, () => {
    /** Runs scripts and questions one after the other in a network namespace that ends with them. */
    function answers(...commands: readonly string[]): string[] {
        const setUp = [
            "set -euo pipefail",
            "ip link set lo up",
            "ip link add name eth0 type veth peer name far0",
            "ip link set far0 up",
            "ip address add 10.240.0.21/24 dev eth0",
            "ip link set eth0 up",
            "ip route add 10.99.200.0/24 via 10.240.0.99",
            'run() { bash -s -- "$1"; }',
            "answer() { printf '%s\\n' '---'; \"$@\"; }",
        ];
        const { status, stdout, stderr } = spawnSync("unshare", ["--net", "bash", "-s"], {
            input: [...setUp, ...commands].join("\n"),
            encoding: "utf8",
        });
        expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
        return stdout
            .split("---\n")
            .slice(1)
            .map((part) => part.replace(/ +$/gm, "").trim());
    }

    const run = (operation: "up" | "down", all: readonly Neighbour[] = ALL): string =>
        `run ${operation} <<'SCRIPT'\n${routeScript(ONE, all, POD_CIDR)}\nSCRIPT`;
    const routes = "answer ip route show proto 75";
    const rules =
        "answer bash -c 'iptables-save -t filter | grep -c KUBENET; iptables-save -t nat | grep KUBENET || true'";

    test("a node has a route to the pods of every other node", () => {
        expect(answers(run("up"), routes)).toEqual([
            "10.99.2.0/24 via 10.240.0.22 dev eth0\n10.99.255.0/24 via 10.240.0.11 dev eth0",
        ]);
    });

    test("a node that goes takes its route with it, and routes of others stay", () => {
        expect(answers(run("up"), run("up", [CP, ONE]), routes, "answer ip route show 10.99.200.0/24")).toEqual([
            "10.99.255.0/24 via 10.240.0.11 dev eth0",
            "10.99.200.0/24 via 10.240.0.99 dev eth0",
        ]);
    });

    test("a node that comes back elsewhere is found there", () => {
        const moved = [CP, ONE, { ...TWO, address: "10.240.0.77" }];
        expect(answers(run("up"), run("up", moved), "answer ip route show 10.99.2.0/24")).toEqual([
            "10.99.2.0/24 via 10.240.0.77 dev eth0 proto 75",
        ]);
    });

    test("a second run changes nothing", () => {
        const [first, second] = answers(run("up"), rules, run("up"), rules);
        expect(second).toBe(first);
        expect(first).toContain("-A POSTROUTING -j KUBENET-POSTROUTING");
    });

    test("only what leaves the cluster is masqueraded: not what goes to pods or nodes", () => {
        const [nat] = answers(run("up"), "answer iptables -t nat -S KUBENET-POSTROUTING");
        expect(nat?.split("\n").map((line) => line.replace(/ -m comment --comment (".*?"|\S+)/, ""))).toEqual([
            "-N KUBENET-POSTROUTING",
            "-A KUBENET-POSTROUTING ! -s 10.99.1.0/24 -j RETURN",
            "-A KUBENET-POSTROUTING -d 10.99.0.0/16 -j RETURN",
            "-A KUBENET-POSTROUTING -d 10.240.0.11/32 -j RETURN",
            "-A KUBENET-POSTROUTING -d 10.240.0.21/32 -j RETURN",
            "-A KUBENET-POSTROUTING -d 10.240.0.22/32 -j RETURN",
            "-A KUBENET-POSTROUTING -d 224.0.0.0/4 -j RETURN",
            "-A KUBENET-POSTROUTING -j MASQUERADE",
        ]);
    });

    test("packets of pods are let through before any other rule can drop them", () => {
        const [forward] = answers(
            "iptables -P FORWARD DROP",
            "iptables -A FORWARD -j DROP",
            run("up"),
            "answer iptables -S FORWARD",
        );
        expect(forward?.split("\n").slice(0, 2)).toEqual(["-P FORWARD DROP", "-A FORWARD -j KUBENET-FORWARD"]);
    });

    test("down leaves nothing behind but what isn't ours", () => {
        const nothing = "answer bash -c 'iptables-save | grep KUBENET || true'";
        expect(answers(run("up"), run("down"), routes, nothing, "answer ip route show 10.99.200.0/24")).toEqual([
            "",
            "",
            "10.99.200.0/24 via 10.240.0.99 dev eth0",
        ]);
    });

    describe("its check", () => {
        const check = `answer bash -s -- check <<'SCRIPT'\n${routeScript(ONE, ALL, POD_CIDR)}\nSCRIPT`;

        test("finds nothing after up", () => {
            expect(answers(run("up"), check)).toEqual([""]);
        });

        test.each([
            [
                "a route that is gone",
                "ip route del 10.99.2.0/24",
                "route 10.99.2.0/24 via 10.240.0.22: gone or changed",
            ],
            [
                "a route that leads elsewhere",
                "ip route replace 10.99.2.0/24 via 10.240.0.99",
                "route 10.99.2.0/24 via 10.240.0.22: gone or changed",
            ],
            [
                "a rule that is gone",
                "iptables -D KUBENET-FORWARD 1",
                "iptables filter: rules of KUBENET-FORWARD are gone or changed",
            ],
            [
                "a rule that was added to its own",
                "iptables -t nat -I KUBENET-POSTROUTING -j ACCEPT",
                "iptables nat: rules of KUBENET-POSTROUTING are gone or changed",
            ],
            [
                "a chain that nothing leads to",
                "iptables -t nat -D POSTROUTING -j KUBENET-POSTROUTING",
                "iptables nat: no rule in POSTROUTING goes to KUBENET-POSTROUTING",
            ],
            ["the bridge gone", "ip link del cbr0", "bridge cbr0: gone"],
            [
                "the bridge's address gone",
                "ip address flush dev cbr0",
                "bridge cbr0: down, or without its address 10.99.1.1/24",
            ],
            ["the bridge down", "ip link set cbr0 down", "bridge cbr0: down, or without its address 10.99.1.1/24"],
        ])("names %s, and nothing after the next up", (_, damage, expected) => {
            const [found, mended] = answers(run("up"), damage, check, run("up"), check);
            expect(found?.split("\n")).toContain(expected);
            expect(mended).toBe("");
        });
    });

    test("down where nothing is up is no error", () => {
        expect(answers(run("down"), routes)).toEqual([""]);
    });
});
