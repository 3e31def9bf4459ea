import { encode } from "dns-packet";
import { candidates, parseDnsAnswer, parseResolver, question } from "../../../scripts/path/dns";

/** As a kubelet writes it. */
const POD = `search default.svc.cluster.local svc.cluster.local cluster.local
nameserver 10.32.0.10
options ndots:5
`;
const HOSTS = `# Kubernetes-managed hosts file.
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
10.99.1.4\tprobe
`;

describe("a pod's resolver", () => {
    const settings = parseResolver(POD, HOSTS);

    test("has the cluster's name server, domains, and the addresses of its hosts file", () => {
        expect(settings).toEqual({
            nameservers: ["10.32.0.10"],
            search: ["default.svc.cluster.local", "svc.cluster.local", "cluster.local"],
            ndots: 5,
            hosts: { localhost: "127.0.0.1", probe: "10.99.1.4" },
        });
    });

    test("tries a name with few dots in each domain, and then as it is", () => {
        expect(candidates("web.shop", settings)).toEqual([
            "web.shop.default.svc.cluster.local",
            "web.shop.svc.cluster.local",
            "web.shop.cluster.local",
            "web.shop",
        ]);
    });

    test("tries a name with many dots as it is at first, and one with a dot at the end only so", () => {
        expect(candidates("a.b.c.d.e.f", settings)[0]).toBe("a.b.c.d.e.f");
        expect(candidates("example.org.", settings)).toEqual(["example.org"]);
    });

    test("of a machine has one dot as its limit", () => {
        expect(candidates("example.org", parseResolver("nameserver 192.0.2.1\nsearch lab\n", ""))).toEqual([
            "example.org",
            "example.org.lab",
        ]);
    });
});

describe("a name server's answer", () => {
    test("to a question has code and addresses", () => {
        const asked = question("web.default.svc.cluster.local", 7);
        expect(asked.readUInt16BE(0)).toBe(7);
        const reply = encode({
            type: "response",
            id: 7,
            questions: [{ type: "A", name: "web" }],
            answers: [
                { type: "CNAME", name: "web", data: "other" },
                { type: "A", name: "other", data: "10.32.0.99" },
            ],
        });
        expect(parseDnsAnswer(reply)).toEqual({ code: "NOERROR", addresses: ["10.32.0.99"] });
    });

    test("says that there is no such name", () => {
        const reply = encode({ type: "response", id: 7, flags: 3, questions: [{ type: "A", name: "web" }] });
        expect(parseDnsAnswer(reply)).toEqual({ code: "NXDOMAIN", addresses: [] });
    });

    test("that is none is known as such", () => {
        expect(parseDnsAnswer(Buffer.alloc(0))).toBeUndefined();
        expect(parseDnsAnswer(Buffer.from("no message"))).toBeUndefined();
        expect(parseDnsAnswer(question("web", 1))).toBeUndefined();
    });
});
