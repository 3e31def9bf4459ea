import { createHash } from "node:crypto";
import {
    chmodSync,
    copyFileSync,
    mkdirSync,
    readdirSync,
    readFileSync,
    rmSync,
    statSync,
    symlinkSync,
    writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";

/** Debian releases that machines can be made of; the first is what they are unless they are asked to be another. */
export const RELEASES = ["bookworm", "trixie"] as const;
export type Release = (typeof RELEASES)[number];

/** What a node needs beside the cluster's own parts. */
export const PACKAGES = [
    "systemd",
    "systemd-sysv",
    "dbus",
    "openssh-server",
    "sudo",
    "ca-certificates",
    "curl",
    "procps",
    "kmod",
    "openssl",
    "tar",
    "zstd",
    // kubelet, kube-proxy and CNI plugins call these
    "conntrack",
    "ethtool",
    "ipset",
    "iproute2",
    "iptables",
    "nftables",
    "socat",
    // the way to the API servers of several control planes
    "haproxy",
    "keepalived",
    // for the person at the machine
    "iputils-ping",
    "less",
    "tcpdump",
];

export const LEFT_OUT = ["/usr/share/doc/*", "/usr/share/info/*", "/usr/share/locale/*", "/usr/share/man/*"];

/** Units that only slow a machine's start, whatever it is. */
const MASKED = [
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
    "fstrim.timer",
    "console-getty.service",
    "getty.target",
    "modprobe@drm.service",
    "systemd-ask-password-console.path",
    "systemd-ask-password-wall.path",
    "systemd-binfmt.service",
    "systemd-firstboot.service",
    "systemd-networkd-wait-online.service",
    "systemd-pstore.service",
    "systemd-repart.service",
    "systemd-update-utmp.service",
    "systemd-update-utmp-runlevel.service",
];

/** Units that a machine with a shared kernel cannot use. */
const MASKED_IN_CONTAINERS = [
    "dev-hugepages.mount",
    "kmod-static-nodes.service",
    "proc-sys-fs-binfmt_misc.automount",
    "sys-fs-fuse-connections.mount",
    "sys-kernel-config.mount",
    "sys-kernel-debug.mount",
    "sys-kernel-tracing.mount",
    // Nobody has a session: SSH here asks no PAM.
    "systemd-logind.service",
    "systemd-machine-id-commit.service",
    "systemd-random-seed.service",
    "systemd-remount-fs.service",
    "systemd-sysusers.service",
    "systemd-tmpfiles-setup-dev.service",
    // It lets users in whom PAM's nologin would keep out: SSH here asks no PAM.
    "systemd-user-sessions.service",
];

/** Links that start units at boot: a socket starts dbus for whoever asks for it, and a cluster with several control planes the others. */
const STARTED_LATER = [
    "lib/systemd/system/multi-user.target.wants/dbus.service",
    "etc/systemd/system/multi-user.target.wants/haproxy.service",
    "etc/systemd/system/multi-user.target.wants/keepalived.service",
];

/**
 * systemd's own generators: it runs them at each start and each reload, for disks, consoles and init scripts that a machine doesn't have.
 * Those of other packages stay, such as cloud-init's.
 */
const GENERATORS = "lib/systemd/system-generators";
const OWN_GENERATOR = /^systemd-/;

/** Settings of the whole kernel: the host's business. */
const MASKED_SYSCTLS = ["50-pid-max.conf", "99-protect-links.conf"];

/** Files that go over the packages' own. */
const OVERLAY = join(__dirname, "rootfs");

/** First 16 hex digits of the sha256 of all that goes into the root file system, this file included. */
export function rootfsDigest(release: Release = RELEASES[0]): string {
    const hash = createHash("sha256").update(process.arch).update(release).update(readFileSync(__filename));
    for (const path of readdirSync(OVERLAY, { recursive: true, encoding: "utf8" }).sort()) {
        if (statSync(join(OVERLAY, path)).isFile()) {
            hash.update(`\0${path}\0`).update(readFileSync(join(OVERLAY, path)));
        }
    }
    return hash.digest("hex").slice(0, 16);
}

/** Puts own files over the packages'. Modes in a checkout depend on the umask that it was made with: here they don't. */
export function copyOverlay(overlay: string, root: string): void {
    for (const entry of readdirSync(overlay, { recursive: true, withFileTypes: true })) {
        const from = join(entry.parentPath, entry.name);
        const to = join(root, relative(overlay, from));
        if (entry.isDirectory()) {
            mkdirSync(to, { recursive: true, mode: 0o755 });
        } else {
            mkdirSync(dirname(to), { recursive: true, mode: 0o755 });
            copyFileSync(from, to);
            chmodSync(to, (statSync(from).mode & 0o100) === 0 ? 0o644 : 0o755);
        }
    }
}

/** Turns the packages' files into a machine's: own files over them, no identity in them. */
export function finishRootfs(root: string): void {
    copyOverlay(OVERLAY, root);
    const units = join(root, "etc/systemd/system");
    mkdirSync(join(units, "sysinit.target.requires"), { recursive: true });
    symlinkSync("../early-boot.service", join(units, "sysinit.target.requires/early-boot.service"));
    mask(root, MASKED_IN_CONTAINERS);
    for (const link of STARTED_LATER) {
        rmSync(join(root, link), { force: true });
    }
    mkdirSync(join(root, "etc/systemd/system-generators"));
    for (const generator of readdirSync(join(root, GENERATORS)).filter((name) => OWN_GENERATOR.test(name))) {
        symlinkSync("/dev/null", join(root, "etc/systemd/system-generators", generator));
    }
    mkdirSync(join(root, "etc/sysctl.d"), { recursive: true });
    for (const file of MASKED_SYSCTLS) {
        rmSync(join(root, "etc/sysctl.d", file), { force: true });
        symlinkSync("/dev/null", join(root, "etc/sysctl.d", file));
    }
    removeIdentity(root);
    for (const directory of ["var/log/journal", "var/lib/containerd", "var/lib/kubelet", "lib/modules"]) {
        mkdirSync(join(root, directory), { recursive: true });
    }
    mkdirSync(join(root, "root/.ssh"), { recursive: true, mode: 0o700 });
}

/** Has systemd start none of these units, nor of those that slow any machine. */
export function mask(root: string, units: readonly string[]): void {
    for (const unit of [...MASKED, ...units]) {
        const link = join(root, "etc/systemd/system", unit);
        rmSync(link, { force: true });
        symlinkSync("/dev/null", link);
    }
}

/** Takes away what the packages made for one machine alone: each gets its own. */
export function removeIdentity(root: string): void {
    for (const name of readdirSync(join(root, "etc/ssh")).filter((entry) => entry.startsWith("ssh_host_"))) {
        rmSync(join(root, "etc/ssh", name));
    }
    for (const name of ["etc/resolv.conf", "etc/hostname", "etc/machine-id", "var/lib/dbus/machine-id"]) {
        rmSync(join(root, name), { force: true });
    }
    writeFileSync(join(root, "etc/machine-id"), "");
    writeFileSync(join(root, "etc/fstab"), "");
}
