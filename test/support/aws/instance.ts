import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { addressAt, type Cidr, parseCidr } from "../../../components/cluster-spec/cidr";
import {
    cgroupsOf,
    createCgroups,
    endAndRemove,
    endProcess,
    hostCgroupLayout,
    labCgroups,
    processesIn,
} from "../../../scripts/machines/cgroups";
import { removeEmpty, run, tryRun } from "../../../scripts/machines/commands";
import { launch } from "../../../scripts/machines/launch";
import { labNames, LABS_DIRECTORY, machineNames, RUN_DIRECTORY } from "../../../scripts/machines/names";
import { linkBase, REAL_DIRECTORIES, renderSettings } from "../../../scripts/machines/nspawn/supervisor";
import { CLOUD_SETTINGS, cloudImage } from "./image";
import type { InstanceState } from "./model";
import { bridgeOf, linkOf } from "./router";

/** An instance on its way to be a machine. */
export interface Boot {
    /** Name of the played account: instances are machines of a lab of that name. */
    readonly account: string;
    readonly id: string;
    readonly vpcId: string;
    /** CIDR of its VPC. */
    readonly network: string;
    /** CIDR of its subnet. */
    readonly subnet: string;
    readonly publicKey: string;
    readonly state: InstanceState;
}

/** Makes an instance's disk and starts it: a local machine whose first boot is cloud-init's. */
export async function bootInstance(boot: Boot, progress: (line: string) => void): Promise<void> {
    const { account: lab, id: machine } = boot;
    const names = machineNames(lab, machine);
    const base = await cloudImage(progress);
    const upper = join(names.directory, "upper");
    for (const directory of ["upper", "work", "root", ...REAL_DIRECTORIES]) {
        mkdirSync(join(names.directory, directory), { recursive: true, mode: 0o755 });
    }
    chmodSync(upper, 0o755);
    linkBase(names.directory, base);
    writeFirstBoot(upper, boot);
    mkdirSync(join(RUN_DIRECTORY, lab), { recursive: true, mode: 0o700 });
    const layout = hostCgroupLayout();
    writeFileSync(
        `${names.runFile}.conf`,
        renderSettings({
            ...{ lab, machine },
            machineId: machineIdOf(upper),
            ...networkOf(boot),
            cgroups: cgroupsOf(layout, { lab, machine }),
            kernelModules: existsSync("/lib/modules"),
        }),
        { mode: 0o600 },
    );
    start(lab, machine);
}

function start(lab: string, machine: string): void {
    const layout = hostCgroupLayout();
    createCgroups(layout, { lab, machine });
    const supervisor = join(__dirname, "../../../scripts/machines/nspawn/supervisor.sh");
    launch(layout, lab, machine, [supervisor, `${machineNames(lab, machine).runFile}.conf`]);
}

/** Ends the machine and, unless it is to be started again, removes its disk. */
export async function endInstance(
    { account: lab, id: machine, vpcId, state }: Pick<Boot, "account" | "id" | "vpcId" | "state">,
    { keepDisk }: { readonly keepDisk: boolean },
): Promise<void> {
    const names = machineNames(lab, machine);
    await endProcess(hostCgroupLayout(), { lab, machine });
    tryRun("ip", ["-n", vpcId, "link", "delete", linkOf(state.networkInterfaceId)]);
    tryRun("ip", ["netns", "delete", names.networkNamespace]);
    if (!keepDisk) {
        run("rm", [
            "-rf",
            "--one-file-system",
            names.directory,
            `${names.runFile}.conf`,
            `${names.runFile}.console.log`,
        ]);
    }
}

/** Powers the machine off and on again, with the disk that it has. */
export async function restartInstance(boot: Pick<Boot, "account" | "id" | "vpcId" | "state">): Promise<void> {
    const { account: lab, id: machine } = boot;
    const processes = processesIn(cgroupsOf(hostCgroupLayout(), { lab, machine }));
    // systemd-nspawn hands it on as an orderly shutdown.
    processes.filter(isNspawn).forEach((pid) => process.kill(pid, "SIGTERM"));
    const deadline = Date.now() + 30_000;
    while (processesIn(cgroupsOf(hostCgroupLayout(), { lab, machine })).length > 0 && Date.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await endInstance(boot, { keepDisk: true });
    start(lab, machine);
}

function isNspawn(pid: number): boolean {
    try {
        return readFileSync(`/proc/${pid}/comm`, "utf8").startsWith("systemd-nspawn");
    } catch {
        return false;
    }
}

function range(text: string): Cidr {
    const parsed = parseCidr(text);
    if ("problem" in parsed) {
        throw new Error(`${text} ${parsed.problem}`);
    }
    return parsed;
}

function networkOf({ vpcId, subnet, state }: Boot) {
    return {
        addresses: [`${state.privateIp}/${range(subnet).prefix}`],
        // https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html: the second address is the VPC router's.
        gateway: addressAt(range(subnet), 1),
        bridge: { name: bridgeOf(state.subnetId), namespace: vpcId },
        link: linkOf(state.networkInterfaceId),
    };
}

function machineIdOf(root: string): string {
    return readFileSync(join(root, "etc/machine-id"), "utf8").trim();
}

/** A disk that was never booted: nothing of its own but what the metadata service would tell cloud-init. */
function writeFirstBoot(root: string, { id, network, publicKey, state }: Boot): void {
    const write = (path: string, text: string, mode = 0o644): void => {
        mkdirSync(join(root, path, ".."), { recursive: true });
        writeFileSync(join(root, path), text, { mode });
    };
    const name = `ip-${state.privateIp.replaceAll(".", "-")}`;
    write("etc/machine-id", `${randomBytes(16).toString("hex")}\n`, 0o444);
    write("etc/hostname", `${name}\n`);
    write("etc/hosts", "127.0.0.1 localhost\n::1 localhost ip6-localhost\n");
    // https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html: by DHCP, the VPC's third address. Nothing answers there.
    write("etc/resolv.conf", `nameserver ${addressAt(range(network), 2)}\n`);
    // Its SSH server is Debian's own, without what local machines' have set.
    write("etc/ssh/sshd_config.d/kubelab.conf", "");
    write("etc/cloud/cloud.cfg.d/01_debian_cloud.cfg", CLOUD_SETTINGS);
    write("var/lib/cloud/seed/nocloud/user-data", state.userData, 0o600);
    const metadata = { "instance-id": id, "local-hostname": name, "public-keys": [publicKey.trim()] };
    write("var/lib/cloud/seed/nocloud/meta-data", JSON.stringify(metadata), 0o600);
}

/** Ends every machine of the account, known to it or not. */
export async function endInstances(account: string): Promise<void> {
    const { directory } = labNames(account);
    const machines = existsSync(directory) ? readdirSync(directory).filter((name) => name.startsWith("i-")) : [];
    const layout = hostCgroupLayout();
    for (const machine of machines) {
        await endProcess(layout, { lab: account, machine });
        tryRun("ip", ["netns", "delete", machineNames(account, machine).networkNamespace]);
    }
}

/** Removes what the account's machines have left: cgroups, disks, run-time files. */
export async function forgetAccount(account: string): Promise<void> {
    const { directory, runDirectory } = labNames(account);
    await endAndRemove(labCgroups(hostCgroupLayout(), account));
    run("rm", ["-rf", "--one-file-system", directory, runDirectory]);
    removeEmpty(LABS_DIRECTORY, RUN_DIRECTORY, "/run/systemd/nspawn", "/run/systemd");
}
