import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { quote } from "../../components/steps/script";
import { eventually } from "./lab";

/** Runs a command and gives back what it prints; nothing where it isn't there. */
export type Run = (command: readonly string[]) => string;

const here: Run = ([program = "", ...args]) =>
    spawnSync(program, args, { encoding: "utf8", maxBuffer: 256 << 20 }).stdout ?? "";

/**
 * Everything of this host that a lab might leave behind, one line each: links, addresses, neighbours, routes, policy rules, network
 * namespaces, nftables, iptables, ipsets, mounts, cgroups, kernel settings, kernel modules, files, processes and their namespaces.
 */
export function hostState(): Set<string> {
    return new Set([...systemState(here).filter((line) => !CONNTRACK.test(line)), ...processes()]);
}

/** What can be seen by commands of any Linux, here or on a machine. */
export function systemState(run: Run, trees: readonly string[] = TREES): string[] {
    const commands = [
        ["ip", "-oneline", "link"],
        ["ip", "-oneline", "address"],
        ["ip", "route", "show", "table", "all"],
        ["ip", "rule"],
        ["ip", "neighbour", "show", "nud", "permanent"],
        ["ip", "netns", "list"],
        ["nft", "--stateless", "list", "ruleset"],
        ["iptables-save"],
        ["ip6tables-save"],
        ["ipset", "save"],
        ["findmnt", "--raw", "--noheadings", "--output", "TARGET,SOURCE,FSTYPE"],
        ["find", "/sys/fs/cgroup", "-type", "d"],
        ["lsmod"],
    ];
    const lines = commands.flatMap((command) =>
        run(command)
            .split("\n")
            .map((line) => `${command[0] ?? ""}: ${lasting(command[0] ?? "", line)}`),
    );
    return [...lines, ...settings(run), ...files(run, trees)];
}

/** The part of a line that doesn't change by itself. */
function lasting(command: string, line: string): string {
    const text = line
        .replace(/\[\d+:\d+\]/, "")
        .replace(/^#.*/, "")
        .replace(/(valid|preferred)_lft \w+/g, "")
        .trim();
    return command === "lsmod" ? (text.split(/\s+/)[0] ?? "") : text;
}

/** Kernel settings that count something, or that the kernel moves by itself. */
const MOVING =
    /^(fs\.(dentry-state|file-nr|inode-(nr|state)|quota\.|aio-nr|epoll)|kernel\.(ns_last_pid|random\.|pty\.nr|perf|sched|tainted|cad_pid)|net\.ipv[46]\.(neigh|tcp_(mem|fastopen_key)|udp_mem|route\.)|.*nf_conntrack_count|vm\.(stat|drop|lowmem)|sunrpc)/;

/** Settings that come with a kernel module, which stays loaded. */
const CONNTRACK = /^net\.(netfilter|nf_conntrack)/;

function settings(run: Run): string[] {
    return run(["sysctl", "--all"])
        .split("\n")
        .filter((line) => !MOVING.test(line));
}

/** Where programs keep what they installed or set up. Caches, logs and what package managers do beside are theirs. */
const TREES = ["/etc", "/opt", "/usr/local", "/usr/lib/systemd", "/var/lib", "/run", "/lib/modules"];
const ELSEWHERE = ["/var/lib/apt", "/var/lib/dpkg", "/var/lib/docker", "/run/user", "/run/udev", "/run/lock"];

function files(run: Run, trees: readonly string[]): string[] {
    const skipped = ELSEWHERE.flatMap((path) => ["-path", path, "-prune", "-o"]);
    const found = run(["find", ...trees, "-xdev", ...skipped, "-printf", "file %y %m %U:%G %p %l\n"]);
    const text = run(["find", "/etc", "/usr/local/bin", "-xdev", "-type", "f", "-printf", "written %T@ %s %p\n"]);
    return [...found.split("\n"), ...text.split("\n")];
}

/** Processes that aren't in the namespaces of this one, or that are a lab's by their cgroup or program. */
function processes(): string[] {
    const own = namespaces("self");
    const ofLab = /^(systemd-nspawn|qemu-system-|\S*bash \S*supervisor\.sh|\S*node .*scripts\/machines\/) ?/;
    return readdirSync("/proc")
        .filter((entry) => /^\d+$/.test(entry))
        .flatMap((pid) => {
            const inside = namespaces(pid).filter((namespace) => !own.includes(namespace));
            const words = read(join("/proc", pid, "cmdline"))
                .replaceAll("\0", " ")
                .trim();
            const kept = ofLab.test(words) || read(`/proc/${pid}/cgroup`).includes("kubelab-") || inside.length > 0;
            // Without words it has ended already, and waits to be asked how.
            return kept && words !== "" ? [`process: ${words} ${inside.join(" ")}`] : [];
        });
}

function namespaces(pid: string): string[] {
    return ["net", "pid", "uts", "ipc", "cgroup"].flatMap((kind) => {
        try {
            return [readlinkSync(`/proc/${pid}/ns/${kind}`)];
        } catch {
            return [];
        }
    });
}

/** A process may end while it is being looked at. */
function read(path: string): string {
    try {
        return readFileSync(path, "utf8");
    } catch {
        return "";
    }
}

/** Names of the labs on this host. */
export function labsHere(): string[] {
    return existsSync("/var/lib/kubelab") ? readdirSync("/var/lib/kubelab") : [];
}

/** What is there now and wasn't before, and what was there before and isn't now. */
export function differences(before: ReadonlySet<string>, after: ReadonlySet<string>): string[] {
    return [
        ...[...after].filter((line) => !before.has(line)).map((line) => `+ ${line}`),
        ...[...before].filter((line) => !after.has(line)).map((line) => `- ${line}`),
    ];
}

/** The host as it was when a test began, to be compared with what it has become. */
export class HostBefore {
    private readonly state = hostState();
    private alone = labsHere().length === 0;

    /** @param own matches lines that are the test's own by a lab's name or address. */
    constructor(private readonly own: RegExp) {}

    /** Nothing differs any more, within so many seconds. */
    async expectAsBefore(seconds = 10): Promise<void> {
        await eventually(seconds, () => {
            expect(this.differences()).toEqual([]);
        });
    }

    /**
     * What differs now. Where other labs are or were here meanwhile, what they do isn't this test's: only its own lines count. A cgroup of
     * the host's own goes with the last process in it.
     */
    differences(): string[] {
        this.alone &&= labsHere().length === 0;
        return differences(this.state, hostState())
            .filter((line) => !line.startsWith("- find: /sys/fs/cgroup/"))
            .filter((line) => this.alone || this.own.test(line));
    }
}

/**
 * Everything of a machine that a cluster might leave on it: what `hostState` has, and users, units and processes.
 *
 * @param on runs a command line on the machine.
 */
export function machineState(on: (commandLine: string) => string): Set<string> {
    const run: Run = (words) => on(`${words.map(quote).join(" ")} 2>/dev/null || true`);
    const lines = (name: string, commandLine: string): string[] =>
        on(commandLine)
            .split("\n")
            .filter((line) => line !== "")
            .map((line) => `${name}: ${line}`);
    // What systemd keeps of itself, what runs at a first boot only, this look at the machine, and when a user last came or went.
    const moving =
        /^unit: (ldconfig|systemd-journal-catalog-update|systemd-update-done)\.service|^file . \S+ \S+ (\/run\/(systemd|log|user|sudo)|\/var\/log\/journal|\/var\/lib\/(systemd|private|logrotate))|systemd-timedated|session-\d+|user[@-]\d+|user-runtime|^written .* \/etc\/(passwd|group|shadow|gshadow)-?$/;
    const system = systemState(run, ["/etc", "/home", "/opt", "/root", "/run", "/srv", "/usr", "/var"]);
    return new Set(
        [
            ...system,
            ...lines("user", "getent passwd; getent group"),
            ...lines("unit file", "systemctl list-unit-files --no-legend"),
            ...lines("unit", "systemctl list-units --all --no-legend --plain | awk '{ print $1, $2, $3, $4 }'"),
            ...lines(
                "process",
                "ps -eo user,args --no-headers | grep -vE '\\[|ps -eo|sshd|ssh -|\\(sd-pam|systemd --user|grep|bash -c' || true",
            ),
        ]
            .filter((line) => !moving.test(line))
            .map(withoutBoot),
    );
}

/** The line without what is another at each boot: numbers of links, and names that systemd makes up. */
function withoutBoot(line: string): string {
    return line
        .replace(/@if\d+:/, "@if:")
        .replace(/\.#proc-[^ ]*/, ".#proc")
        .replace(/systemd-private-[0-9a-f]{32}-([^ /]*)-\w{6}/, "systemd-private-$1");
}
