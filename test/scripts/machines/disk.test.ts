import { renderHosts, withoutLoopback } from "../../../scripts/machines/disk";

describe("files that make a machine", () => {
    it("name it and what it is told about in /etc/hosts", () => {
        const hosts = renderHosts({
            machine: "worker-1",
            addresses: ["10.240.0.21/24"],
            hosts: { "api.kubenet": "10.240.0.10" },
        });
        expect(hosts).toBe(
            "127.0.0.1 localhost\n::1 localhost ip6-localhost\n10.240.0.10 api.kubenet\n10.240.0.21 worker-1\n",
        );
    });

    it("don't send it to name servers on the host's loopback", () => {
        const text = "search example.org\nnameserver 127.0.0.53\nnameserver ::1\nnameserver 192.0.2.53\n";
        expect(withoutLoopback(text)).toBe("search example.org\nnameserver 192.0.2.53\n");
    });
});
