import { QEMU_TOOLS } from "../../machines/qemu/tools";
import { installCommand } from "../../support/apt";
import type { Check } from "./check";
import type { Host } from "./host";
import type { PlannedLab } from "./lab";
import { virtualRolesAsked } from "./machines";

/** Something that a Debian or Ubuntu package brings. */
interface Packaged {
    /** A command, or the absolute path of a file. */
    readonly what: string;
    readonly package: string;
    /** What a file is, in words. */
    readonly called?: string;
}

const command = (what: string, packageName = what): Packaged => ({ what, package: packageName });

/** What containers and bridges need. */
const OF_ROOT: readonly Packaged[] = [
    command("systemd-nspawn", "systemd-container"),
    command("ip", "iproute2"),
    command("nft", "nftables"),
    command("iptables"),
    command("mount"),
];

/** What makes the image of virtual machines without root. */
const OF_USER: readonly Packaged[] = [command("newuidmap", "uidmap"), command("newgidmap", "uidmap")];

/** What a local lab calls on its host. */
const ANY_LAB: readonly Packaged[] = [
    command("mmdebstrap"),
    command("unshare", "util-linux"),
    command("flock", "util-linux"),
    command("ssh", "openssh-client"),
    command("tar"),
    command("zstd"),
    command("curl"),
];

const LAB: readonly Packaged[] = [...OF_ROOT, ...ANY_LAB];

/** What virtual machines need beside. */
const VIRTUAL = Object.entries(QEMU_TOOLS).map(([what, packageName]) => command(what, packageName));

/** The machines' root file system is Debian on a host of any distribution. */
const DEBIAN_KEYS: Packaged = {
    what: "/usr/share/keyrings/debian-archive-keyring.gpg",
    package: "debian-archive-keyring",
    called: "Debian's archive keys",
};

/** What builds runc and pause, beside Go. */
const BUILD: readonly Packaged[] = [
    command("gcc"),
    command("pkg-config"),
    command("dpkg-deb", "dpkg"),
    { what: "/usr/include/seccomp.h", package: "libseccomp-dev", called: "libseccomp's headers" },
    { what: "/usr/include/stdio.h", package: "libc6-dev", called: "the C library's headers" },
];

/** What the tests call beside a lab. */
const TESTS: readonly Packaged[] = [command("shellcheck"), command("openssl")];

/** What looks at the page of `scripts/lab view` in tests. */
const BROWSER: readonly Packaged[] = [command("chromium")];

/** What measuring calls beside a lab. */
const BENCH: readonly Packaged[] = [command("iperf3"), command("openssl")];

/** The commands that bringing the lab up calls, and the files that they read. */
export function commandsOfLab(host: Host, lab: PlannedLab): Check {
    if (lab.networking === "user") {
        const own = host.userId === 0 ? [] : OF_USER;
        return packaged(host, "commands", [...ANY_LAB, ...own, ...VIRTUAL, ...(lab.rootfsCached ? [] : [DEBIAN_KEYS])]);
    }
    // A module that isn't loaded yet.
    const modules = host.exists("/lib/modules") && !host.exists("/proc/sys/net/bridge");
    const systemd = host.exists("/run/systemd/system");
    return packaged(host, "commands", [
        ...LAB,
        ...(lab.rootfsCached ? [] : [DEBIAN_KEYS]),
        ...(modules ? [command("modprobe", "kmod")] : []),
        ...(systemd ? [command("systemd-run", "systemd")] : []),
        ...(virtualRolesAsked(lab.drivers) ? VIRTUAL : []),
    ]);
}

/** Commands of a workstation whose machines are elsewhere: it reaches them by SSH. */
export function commandsOfClient(host: Host): Check {
    return packaged(host, "commands", [command("ssh", "openssh-client"), command("tar")]);
}

/** Commands that a build of the parts calls, except Go. */
export function commandsOfBuild(host: Host): Check {
    return packaged(host, "C toolchain", BUILD);
}

/** Which tests need more than others. */
export interface TestKinds {
    /** Those of virtual machines. */
    readonly virtual: boolean;
    /** Those of the page of `scripts/lab view`. */
    readonly browser: boolean;
}

/** Commands that `scripts/lab test` calls and that packages provide. */
export function commandsOfTests(host: Host, { virtual, browser }: TestKinds): Check {
    return packaged(host, "commands", [
        ...LAB,
        ...(virtual ? [...VIRTUAL, ...OF_USER] : []),
        DEBIAN_KEYS,
        ...TESTS,
        ...BENCH,
        ...(browser ? BROWSER : []),
    ]);
}

/** What `scripts/lab bench` calls beside a lab. */
export function commandsOfBench(host: Host): Check {
    return packaged(host, "commands", BENCH);
}

function packaged(host: Host, name: string, wanted: readonly Packaged[]): Check {
    const isThere = ({ what }: Packaged): boolean =>
        what.startsWith("/") ? host.exists(what) : host.find(what) !== undefined;
    const called = ({ what, called: words }: Packaged): string => words ?? what;
    const missing = wanted.filter((each) => !isThere(each));
    if (missing.length === 0) {
        return { name, state: "ok", detail: wanted.map(called).join(", ") };
    }
    const packages = [...new Set(missing.map((each) => each.package))];
    const install = installCommand(packages);
    const remedy =
        host.find("apt-get") !== undefined
            ? install
            : `install them with this system's package manager; on Debian and Ubuntu: ${install}`;
    return { name, state: "missing", detail: `not here: ${missing.map(called).join(", ")}`, remedy, packages };
}
