import type { HostReport } from "../../../../components/machines/hosts/report";
import type { InspectedHost } from "../../../../components/machines/hosts/rules";
import type { HostSpec } from "../../../../components/cluster-spec/types";

export const STACK = "organization/kubelab/test";
const ID = "0123456789abcdef0123456789abcd";

/** A host that nothing is wrong with, but for these changes. */
export function aHost(index = 1, report: Partial<HostReport> = {}, host: Partial<HostSpec> = {}): InspectedHost {
    const address = `192.168.7.${10 + index}`;
    return {
        host: {
            name: index === 1 ? "cp-1" : `worker-${index - 1}`,
            role: index === 1 ? "control-plane" : "worker",
            address,
            privateAddress: address,
            user: "admin",
            port: 22,
            keyFile: "/home/me/.ssh/id_ed25519",
            hostKey: "ssh-ed25519 AAAA",
            ...host,
        },
        report: {
            clock: 0,
            hostname: `host-${index}`,
            machineId: `${ID}0${index}`,
            os: { id: "debian", version: "12", name: "Debian GNU/Linux 12 (bookworm)" },
            architecture: "x86_64",
            kernel: "6.1.0-37-amd64",
            init: "systemd",
            cgroup: "v2",
            memory: 4 << 20,
            swap: false,
            oomScore: true,
            fixedConntrack: false,
            room: { "/opt": 20 * 2 ** 30, "/var/lib": 20 * 2 ** 30 },
            missing: [],
            lacks: ["ip_vs"],
            foreign: [],
            ports: [{ protocol: "tcp", port: 22, address: "0.0.0.0", program: "sshd" }],
            firewalls: [],
            macs: [`52:54:00:00:00:0${index}`],
            addresses: ["127.0.0.1", address],
            networks: ["127.0.0.1/8", `${address}/24`],
            synchronized: true,
            unresolved: [],
            ...report,
        },
    };
}
