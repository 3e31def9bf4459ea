import { isDeepStrictEqual } from "node:util";
import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import {
    type CreatedMachine,
    type MachineRequest,
    type NetworkRequest,
    VM_DEFAULTS,
} from "../../scripts/machines/contract";
import { partsPath } from "../../scripts/parts/contract";
import { PORTS } from "../cluster-spec/ports";
import { Component } from "../component";
import type { Parts } from "../steps/parts";
import { ownProgram } from "../steps/own-program";
import { LIBRARY_SUM } from "../steps/script";
import type { SshKey } from "../steps/ssh-identity";
import type { ClusterSpec, LocalSpec, NodeSpec } from "../cluster-spec/types";
import { type Machine, type MachineFacts, machineOutputs, type RegistryMirror } from "./machine";

/** What was true of every machine while the driver didn't tell; for those that an earlier version made. */
const FORMER_FACTS: CreatedMachine["facts"] = {
    cgroupDriver: "cgroupfs",
    failCgroupV1: false,
    failSwapOn: false,
    restrictOomScoreAdj: true,
    conntrackMaxPerCore: 0,
};

export interface LocalMachinesArgs {
    readonly spec: ClusterSpec;
    readonly local: LocalSpec;
    readonly parts: Parts;
    readonly sshKey: SshKey;
}

/** The machines of a lab on this host: containers or virtual machines, on a bridge or a switch of the lab's own. */
export function localMachines(args: LocalMachinesArgs, parent: Component): Machine[] {
    const registry = registryCertificate(args.local, parent);
    const network = localNetwork(args, registry, parent);
    const { gateway, registryPort } = args.local;
    const mirror = { url: `https://${gateway}:${registryPort}`, certificateAuthority: registry.certPem };
    return args.spec.nodes.map((node) => new LocalMachine(node, { ...args, network, mirror }, parent));
}

/** Bridge and NAT, or switch, and image registry of the lab. */
function localNetwork(
    { spec, local: lab, parts, sshKey }: LocalMachinesArgs,
    registry: { readonly certPem: pulumi.Output<string>; readonly keyPem: pulumi.Output<string> },
    parent: Component,
): local.Command {
    const input = pulumi
        .all([parts.digest, registry.certPem, registry.keyPem, sshKey.publicKeyOpenssh])
        .apply(([digest, certificate, key, authorizedKey]): NetworkRequest => ({
            lab: spec.name,
            network: lab.network,
            gateway: lab.gateway,
            registryPort: lab.registryPort,
            ...(lab.networking === "user" ? { loopback: lab.outer.gateway } : {}),
            preload: lab.preloadParts,
            ...(spec.repair.host === undefined ? {} : { repair: spec.repair.host }),
            partsDirectory: partsPath(digest),
            registryCertificate: certificate,
            registryKey: key,
            owner: { key: authorizedKey.trim(), stack: pulumi.getStack() },
        }));
    return driverCommand(parent.nameOf("network"), "network", input, [spec.name, lab.network], parent);
}

class LocalMachine extends Component implements Machine {
    readonly name: string;
    readonly cluster: string;
    readonly role: Machine["role"];
    readonly address: string;
    readonly privateAddress: string;
    readonly port: number;
    readonly user = "root";
    readonly loginShell = "bash";
    readonly library: NonNullable<Machine["library"]>;
    readonly connection: Machine["connection"];
    readonly id: pulumi.Output<string>;
    readonly hostKey: pulumi.Output<string>;
    readonly vm: pulumi.CustomResource;
    readonly facts: pulumi.Output<MachineFacts>;

    constructor(
        node: NodeSpec,
        args: LocalMachinesArgs & { readonly network: pulumi.Resource; readonly mirror: RegistryMirror },
        parent: Component,
    ) {
        super("kubelab:machines:LocalMachine", parent.nameOf(node.name), { parent });
        const { spec, local: lab, sshKey } = args;
        this.name = node.name;
        this.cluster = parent.resourceName;
        this.role = node.role;
        // A virtual machine's disk can't be written while it runs: new functions of steps would restart it.
        this.library = lab.virtual.includes(node.role) ? "brought" : "installed";
        this.address = lab.outer.addresses[node.name] ?? "";
        this.privateAddress = lab.addresses[node.name] ?? "";
        this.port = lab.outer.sshPort;

        const hostKey = new tls.PrivateKey(this.nameOf("host-key"), { algorithm: "ED25519" }, { parent: this });
        this.hostKey = hostKey.publicKeyOpenssh.apply((key) => key.trim());

        // The API endpoint's address is the second one of the only control plane. Of several, keepalived puts it on one.
        const own = node.role === "control-plane" && node.index === 1 ? [lab.apiAddress] : [];
        const [address = "", ...endpoint] = [this.privateAddress, ...own].map((each) => `${each}/${lab.prefixLength}`);
        const input = pulumi
            .all([hostKey.privateKeyOpenssh, sshKey.publicKeyOpenssh])
            .apply(([privateKey, authorizedKey]): MachineRequest => ({
                lab: spec.name,
                machine: node.name,
                addresses: spec.highlyAvailable ? [address] : [address, ...endpoint],
                gateway: lab.gateway,
                ...(lab.networking === "user" ? { forwards: this.forwards(spec, lab, own.length > 0) } : {}),
                hosts: spec.highlyAvailable ? {} : { [spec.api.name]: lab.apiAddress },
                ...(this.library === "installed" ? { stepLibrary: LIBRARY_SUM } : {}),
                hostKey: privateKey,
                authorizedKeys: [authorizedKey.trim()],
                ...howMade(lab, node.role),
                ...(spec.repair[node.name] === undefined ? {} : { repair: spec.repair[node.name] }),
            }));
        // A machine stays when its cluster gets more control planes.
        const vm = driverCommand(this.resourceName, "machine", input, [address, ...endpoint], this, [args.network]);
        this.vm = vm;
        const created = pulumi.unsecret(vm.stdout).apply((text) => JSON.parse(text) as Partial<CreatedMachine>);
        this.id = created.apply(({ id = "" }) => id);
        this.facts = created.apply(({ facts = FORMER_FACTS }) => ({ ...facts, registries: [args.mirror] }));
        this.connection = {
            host: this.address,
            ...(this.port === PORTS.ssh ? {} : { port: this.port }),
            user: this.user,
            privateKey: sshKey.privateKeyOpenssh,
            hostKey: this.hostKey,
            // On a busy host a login takes its time; one that can't be reached says so at once.
            dialErrorLimit: 10,
            perDialTimeout: 30,
        };
        this.registerOutputs(machineOutputs(this));
    }

    /** The ports of the loopback that lead to this machine. @param isEndpoint whether the API endpoint's address is its own. */
    private forwards(
        { api }: ClusterSpec,
        { apiAddress, outer }: LocalSpec,
        isEndpoint: boolean,
    ): Record<string, string> {
        const endpoint = { [`${outer.apiAddress}:${api.port}`]: `${apiAddress}:${api.port}` };
        return {
            [`${this.address}:${this.port}`]: `${this.privateAddress}:${PORTS.ssh}`,
            ...(isEndpoint ? endpoint : {}),
        };
    }
}

/** What a machine's request says of its driver: nothing where all is as it is by default, as in requests of earlier versions. */
function howMade({ driver, vm }: LocalSpec, role: NodeSpec["role"]): Pick<MachineRequest, "driver" | "vm"> {
    const usual = isDeepStrictEqual(vm, { ...VM_DEFAULTS, accelerator: "auto" });
    return {
        ...(driver[role] === "auto" ? {} : { driver: driver[role] }),
        ...(usual || driver[role] === "nspawn" ? {} : { vm }),
    };
}

/** One call of the local machine driver: JSON on standard input, JSON on standard output, the same for create and delete. */
function driverCommand(
    name: string,
    subject: "network" | "machine",
    input: pulumi.Output<NetworkRequest | MachineRequest>,
    triggers: readonly string[],
    parent: pulumi.Resource,
    dependsOn: readonly pulumi.Resource[] = [],
): local.Command {
    const driver = ownProgram("scripts/machines/main.ts");
    return new local.Command(
        name,
        {
            create: `${driver} ${subject} create`,
            delete: `${driver} ${subject} delete`,
            stdin: pulumi.secret(input.apply((value) => JSON.stringify(value))),
            triggers: [...triggers],
            addPreviousOutputInEnv: false,
            logging: local.Logging.Stderr,
        },
        { parent, dependsOn: [...dependsOn], deleteBeforeReplace: true },
    );
}

/** The TLS certificate of the lab's registry, which is its own trust anchor. */
function registryCertificate(
    lab: LocalSpec,
    parent: Component,
): { readonly certPem: pulumi.Output<string>; readonly keyPem: pulumi.Output<string> } {
    const key = new tls.PrivateKey(
        parent.nameOf("registry-key"),
        { algorithm: "ECDSA", ecdsaCurve: "P256" },
        { parent },
    );
    const certificate = new tls.SelfSignedCert(
        parent.nameOf("registry-certificate"),
        {
            privateKeyPem: key.privateKeyPem,
            subject: { commonName: "lab registry" },
            ipAddresses: [lab.gateway],
            allowedUses: ["digital_signature", "server_auth"],
            validityPeriodHours: 8760,
            earlyRenewalHours: 720,
        },
        { parent },
    );
    return { certPem: certificate.certPem, keyPem: key.privateKeyPem };
}
