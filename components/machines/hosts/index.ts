import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { Component } from "../../component";
import type { Claimed, ClaimRequest } from "../../../scripts/hosts/contract";
import type { ClusterSpec, HostSpec } from "../../cluster-spec/types";
import { type Machine, type MachineFacts, machineOutputs } from "../machine";
import { ownProgram } from "../../steps/own-program";
import { stackName, targetOf } from "./preflight";
import type { HostReport } from "./report";
import type { InspectedHost, KnownHost } from "./rules";

/**
 * The machines of a cluster on hosts that exist. Each one is claimed for the cluster before anything else is put on it; with the claim
 * goes everything: it has the host note what was there before, and its deletion makes the host that again.
 */
export function hostMachines(
    spec: ClusterSpec,
    hosts: pulumi.Input<readonly InspectedHost[]>,
    parent: Component,
): Machine[] {
    const cluster = new random.RandomId(parent.nameOf("cluster-id"), { byteLength: 16 }, { parent });
    return (spec.hosts ?? []).map((host) => {
        const report = pulumi.output(hosts).apply((inspected) => {
            const found = inspected.find((each) => each.host.name === host.name);
            if (found === undefined) {
                throw new Error(`nobody looked at the host ${host.name}`);
            }
            return found.report;
        });
        return new ExistingHost(host, { spec, cluster: cluster.hex, report }, parent);
    });
}

/** What the stack puts out of each host, for its next run to compare with. */
export function knownHosts(hosts: readonly InspectedHost[]): Readonly<Record<string, KnownHost>> {
    return Object.fromEntries(
        hosts.map(({ host, report }) => [host.name, { machineId: report.machineId, hostKey: host.hostKey }]),
    );
}

class ExistingHost extends Component implements Machine {
    readonly name: string;
    readonly cluster: string;
    readonly role: Machine["role"];
    readonly address: string;
    readonly privateAddress: string;
    readonly user: string;
    readonly port: number;
    readonly keyFile: string;
    readonly sudoPassword?: pulumi.Output<string>;
    readonly connection: Machine["connection"];
    readonly id: pulumi.Output<string>;
    readonly hostKey: pulumi.Output<string>;
    readonly vm: pulumi.CustomResource;
    readonly facts: pulumi.Output<MachineFacts>;

    constructor(
        host: HostSpec,
        {
            spec,
            cluster,
            report,
        }: {
            readonly spec: ClusterSpec;
            readonly cluster: pulumi.Output<string>;
            readonly report: pulumi.Output<HostReport>;
        },
        parent: Component,
    ) {
        super("kubelab:machines:ExistingHost", parent.nameOf(host.name), { parent });
        const { sudoPassword } = spec;
        this.name = host.name;
        this.cluster = parent.resourceName;
        this.role = host.role;
        this.address = host.address;
        this.privateAddress = host.privateAddress;
        this.user = host.user;
        this.port = host.port;
        this.keyFile = host.keyFile;
        if (sudoPassword !== undefined) {
            this.sudoPassword = pulumi.secret(sudoPassword);
        }
        this.hostKey = pulumi.output(host.hostKey);
        this.facts = report.apply((found) => factsOf(found, host.privateAddress));

        // The key file has been read once by then, and told of where it can't be.
        const target = report.apply(() => targetOf(host));
        const stack = stackName();
        const request = pulumi.all([cluster, target]).apply(([id, login]): ClaimRequest => {
            const password = sudoPassword === undefined ? {} : { sudoPassword };
            return {
                name: host.name,
                target: login,
                ...password,
                cluster: id,
                lab: spec.name,
                stack,
                pods: spec.podCidr,
            };
        });
        const driver = ownProgram("scripts/hosts/main.ts");
        const claim = new local.Command(
            this.resourceName,
            {
                create: `${driver} claim`,
                delete: `${driver} leave`,
                stdin: pulumi.secret(request.apply((value) => JSON.stringify(value))),
                // Another machine in its place; its address may change.
                triggers: [report.apply(({ machineId }) => machineId)],
                addPreviousOutputInEnv: false,
                logging: local.Logging.Stderr,
            },
            { parent: this, deleteBeforeReplace: true },
        );
        this.vm = claim;
        this.id = pulumi.unsecret(claim.stdout).apply((text) => (JSON.parse(text) as Claimed).id);
        this.connection = {
            host: host.address,
            port: host.port,
            user: host.user,
            privateKey: pulumi.secret(target.apply(({ privateKey }) => privateKey)),
            hostKey: host.hostKey,
            // A busy host lets in slowly. That it can be reached was seen before.
            dialErrorLimit: 10,
            perDialTimeout: 20,
        };
        this.registerOutputs(machineOutputs(this));
    }
}

/** @param address of the host, between nodes. */
function factsOf(report: HostReport, address: string): MachineFacts {
    const { cgroup, swap, oomScore, fixedConntrack, resolvConf, nameServers } = report;
    return {
        // On cgroup v2 systemd owns all cgroups: https://kubernetes.io/docs/setup/production-environment/container-runtimes/#cgroup-drivers
        cgroupDriver: cgroup === "v2" ? "systemd" : "cgroupfs",
        failCgroupV1: cgroup === "v2",
        failSwapOn: !swap,
        restrictOomScoreAdj: !oomScore,
        conntrackMaxPerCore: fixedConntrack ? 0 : undefined,
        ...(resolvConf === undefined ? {} : { resolvConf }),
        // What listens on the host answers, or names outside the cluster fail at once.
        ...(resolvConf === undefined && nameServers !== undefined
            ? { nameServers: nameServers.length > 0 ? nameServers : [address] }
            : {}),
        registries: [],
    };
}
