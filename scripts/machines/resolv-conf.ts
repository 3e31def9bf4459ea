import { existsSync, readdirSync, readFileSync } from "node:fs";
import { isIPv4 } from "node:net";
import { join } from "node:path";

/** Where resolvers that only listen on loopback keep the servers that they ask, in the order in which they are looked for. */
const BEHIND_STUBS = [
    "run/systemd/resolve/resolv.conf",
    "run/NetworkManager/no-stub-resolv.conf",
    "run/dnsmasq/resolv.conf",
];
/** dnsmasq's settings, files and directories of them. */
const DNSMASQ = ["etc/dnsmasq.conf", "etc/dnsmasq.d", "etc/NetworkManager/dnsmasq.d"];

/**
 * The resolv.conf of a machine: the workstation's servers as far as a machine reaches them. Where none can be found it names the
 * workstation itself: names are asked of whatever listens there, and otherwise fail at once.
 *
 * @param gateway the workstation's address, as the machine knows it.
 * @param root where /etc and /run are.
 */
export function machineResolvConf(gateway: string, root = "/"): string {
    const read = (path: string): string => {
        const file = join(root, path);
        return existsSync(file) ? readFileSync(file, "utf8") : "";
    };
    const own = read("etc/resolv.conf");
    const found = ["etc/resolv.conf", ...BEHIND_STUBS].map((path) => reachable(read(path))).find(namesServer);
    if (found !== undefined) {
        return found;
    }
    const servers = dnsmasqServers(root);
    const reason = "# The workstation's own name servers listen on its loopback only: this is its address.";
    const lines =
        servers.length > 0 ? servers.map((server) => `nameserver ${server}`) : [reason, `nameserver ${gateway}`];
    return `${[...withoutServers(own), ...lines].join("\n")}\n`;
}

/** resolv.conf without name servers that a machine can't reach: it has IPv4 alone, and a loopback of its own. */
export function reachable(text: string): string {
    return text
        .split("\n")
        .filter((line) => {
            const server = serverOf(line);
            return server === undefined || isReachable(server);
        })
        .join("\n");
}

function namesServer(text: string): boolean {
    return text.split("\n").some((line) => serverOf(line) !== undefined);
}

function withoutServers(text: string): string[] {
    return text.split("\n").filter((line) => line.trim() !== "" && serverOf(line) === undefined);
}

function serverOf(line: string): string | undefined {
    return /^\s*nameserver\s+(\S+)/.exec(line)?.[1];
}

function isReachable(server: string): boolean {
    return isIPv4(server) && !server.startsWith("127.") && server !== "0.0.0.0";
}

/** `server=192.0.2.53` of dnsmasq's settings; servers of single domains and with ports of their own can't be in a resolv.conf. */
function dnsmasqServers(root: string): string[] {
    const files = DNSMASQ.flatMap((path) => {
        const file = join(root, path);
        if (!existsSync(file)) {
            return [];
        }
        return path.endsWith(".conf") ? [file] : readdirSync(file).map((name) => join(file, name));
    });
    const lines = files.flatMap((file) => readFileSync(file, "utf8").split("\n"));
    const servers = lines.map((line) => /^\s*server=([0-9.]+)(\s+#.*)?\s*$/.exec(line)?.[1] ?? "").filter(isReachable);
    return [...new Set(servers)];
}
