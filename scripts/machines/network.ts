import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { dirname, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { UserError } from "../support/errors";
import { overlapping, routedRanges, type UsedRange } from "./address-range";
import { type CgroupLayout, endAndRemove, hostCgroupLayout, labCgroups } from "./cgroups";
import { deleteMachine } from "./machine";
import { removeEmpty, run, tryRun, withLock } from "./commands";
import type { CreatedNetwork, Deleted, NetworkSettings } from "./contract";
import { closeFirewall, openFirewall } from "./firewall";
import { enableForwarding, restoreForwarding } from "./ip-forwarding";
import { labsOnDisk, machinesOnDisk } from "./labs";
import { AS_ROOT, labNames, LABS_DIRECTORY, RUN_DIRECTORY } from "./names";
import { ownedByAnother } from "./owner";
import { endRegistry, ensureRegistry } from "./registry/process";
import { preloadParts } from "./preloaded-parts";
import { isUserNetwork, networkFile, readNetwork, writeNetwork } from "./records";
import { endSwitch, ensureSwitch } from "./user-network/process";

/** Kernel modules that a cluster needs and that can't be loaded from inside a machine. What isn't a module here is built in. */
const MODULES = ["br_netfilter", "overlay", "nf_conntrack", "nf_tables", "ip_tables", "veth"];

/**
 * Makes a lab's bridge and its NAT, or a switch in place of them, and its image registry. Existing parts stay; a registry with other
 * settings is restarted.
 *
 * @throws UserError when the lab belongs to another stack, or the address range or the registry's port is in use
 */
export async function createNetwork(
    request: NetworkSettings,
    progress: (line: string) => void,
): Promise<CreatedNetwork> {
    const { lab } = request;
    const names = labNames(lab);
    const layout = hostCgroupLayout();
    return withLock(RUN_DIRECTORY, async () => {
        const known = readNetwork(lab);
        const foreign = ownedByAnother(known, request);
        if (foreign !== undefined) {
            throw new UserError(foreign);
        }
        refuseChange(known, request);
        refuseUsedRange(request);
        mkdirSync(names.directory, { recursive: true, mode: 0o700 });
        mkdirSync(names.runDirectory, { recursive: true, mode: 0o700 });
        const changed = !isDeepStrictEqual(known, request);
        if (changed) {
            writeNetwork(request);
        }
        if (request.preload) {
            preloadParts(lab, request.partsDirectory);
        }
        if (isUserNetwork(request)) {
            await ensureSwitch(layout, request, progress);
        } else {
            makeBridge(request, progress);
        }
        await ensureRegistry(layout, request, networkFile(lab), changed);
        return isUserNetwork(request) ? {} : { bridge: names.bridge };
    });
}

function makeBridge({ lab, network, gateway }: NetworkSettings, progress: (line: string) => void): void {
    loadModules();
    enableForwarding();
    createBridge(lab, gateway, network);
    const warning = openFirewall(lab, network);
    if (warning !== undefined) {
        progress(warning);
    }
}

/** Removes a lab from this host, with its remaining machines. Idempotent: a missing or partial lab is no error. */
export async function deleteNetwork(lab: string): Promise<Deleted> {
    const names = labNames(lab);
    const layout = hostCgroupLayout();
    const existed = existsSync(names.directory) || existsSync(join("/sys/class/net", names.bridge));
    const left = machinesOnDisk().filter((machine) => machine.lab === lab);
    if (left.length > 0) {
        await Promise.all(left.map(({ machine }) => deleteMachine(lab, machine)));
    }
    await withLock(RUN_DIRECTORY, async () => {
        await endRegistry(layout, lab);
        await endSwitch(layout, lab);
        if (AS_ROOT) {
            await removeBridge(layout, lab);
        }
        rmSync(names.directory, { recursive: true, force: true });
        rmSync(names.runDirectory, { recursive: true, force: true });
        if (AS_ROOT && labsOnDisk().every((other) => !existsSync(networkFile(other)))) {
            restoreForwarding();
        }
        removeEmpty(LABS_DIRECTORY, RUN_DIRECTORY);
        removeEmpty(...(AS_ROOT ? ["/run/systemd/nspawn", "/run/systemd"] : [dirname(LABS_DIRECTORY)]));
    });
    return { deleted: existed };
}

async function removeBridge(layout: CgroupLayout, lab: string): Promise<void> {
    const { bridge } = labNames(lab);
    closeFirewall(lab);
    if (existsSync(join("/sys/class/net", bridge))) {
        run("ip", ["link", "delete", bridge]);
    }
    await endAndRemove(labCgroups(layout, lab));
}

function refuseChange(known: NetworkSettings | undefined, request: NetworkSettings): void {
    if (known && isUserNetwork(known) !== isUserNetwork(request)) {
        throw new UserError(
            `The network of lab "${request.lab}" is ${isUserNetwork(known) ? "a switch of a user's" : "a bridge"}, and can't ` +
                "become another while it is there (kubelab:local.networking). Delete it first.",
        );
    }
    if (known && isUserNetwork(known) && known.registryPort !== request.registryPort) {
        throw new UserError(
            `The switch of lab "${request.lab}" passes port ${known.registryPort} on to the registry, and a new switch would cut ` +
                `its machines off. Set kubelab:local.registryPort back to ${known.registryPort}, or bring the lab down first.`,
        );
    }
    if (known && (known.network !== request.network || known.gateway !== request.gateway)) {
        throw new UserError(
            `Lab "${request.lab}" has the network ${known.network} with the host at ${known.gateway}; it can't become ` +
                `${request.network} with ${request.gateway} while it is there. Delete it first.`,
        );
    }
}

/** Ranges of this host matter to a bridge, which is an interface beside the others; a switch is none. */
function refuseUsedRange(request: NetworkSettings): void {
    const { lab, network } = request;
    const { bridge } = labNames(lab);
    const labs = labsOnDisk().flatMap((other): UsedRange[] => {
        const range = other === lab ? undefined : readNetwork(other)?.network;
        return range === undefined ? [] : [{ range, by: `the lab "${other}"` }];
    });
    if (isUserNetwork(request)) {
        // Two labs with the same range have the same addresses of the loopback.
        refuseOverlap(network, labs);
        return;
    }
    const interfaces = Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) =>
        addresses
            .filter(({ family, cidr }) => family === "IPv4" && cidr !== null)
            .map(({ cidr }) => ({ range: cidr ?? "", by: `the interface ${name} of this host`, interface: name })),
    );
    const routes = routedRanges(readFileSync("/proc/net/route", "utf8"));
    refuseOverlap(network, [...labs, ...interfaces, ...routes], bridge);
}

/** @param own interface that may have the range. */
function refuseOverlap(network: string, ranges: readonly UsedRange[], own = ""): void {
    const used = overlapping(network, ranges, own);
    if (used) {
        throw new UserError(
            `The lab's network ${network} overlaps with ${used.range}, which ${used.by} uses. ` +
                `Choose another range for the lab's machines (kubelab:local, key "network").`,
        );
    }
}

function loadModules(): void {
    if (existsSync("/lib/modules") && !existsSync("/proc/sys/net/bridge")) {
        tryRun("modprobe", ["--all", "--quiet", ...MODULES]);
    }
}

function createBridge(lab: string, gateway: string, network: string): void {
    const { bridge, hardwareAddress } = labNames(lab);
    const path = join("/sys/class/net", bridge);
    if (existsSync(path) && !existsSync(join(path, "bridge"))) {
        throw new UserError(
            `This host has an interface ${bridge} that is no bridge: the lab "${lab}" needs that name.`,
        );
    }
    const lines = [
        ...(existsSync(path) ? [] : [`link add ${bridge} address ${hardwareAddress} type bridge`]),
        `link set ${bridge} alias kubelab/${lab} up`,
        `address replace ${gateway}/${network.split("/")[1] ?? ""} dev ${bridge}`,
    ];
    run("ip", ["-batch", "-"], lines.map((line) => `${line}\n`).join(""));
}
