import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { Claimed, ClaimRequest } from "../../../scripts/hosts/contract";
import type { ClusterSpec } from "../../cluster-spec/types";
import type { Machine, MachineFacts } from "../machine";
import { stackName, targetOf } from "./preflight";
import type { HostReport } from "./report";
import type { InspectedHost, KnownHost } from "./rules";

const DRIVER = "node --import tsx scripts/hosts/main.ts";

/**
 * The machines of a cluster on hosts that exist. Each one is claimed for the cluster before anything else is put on it; with the claim
 * goes everything: it has the host note what was there before, and its deletion makes the host that again.
 */
export function hostMachines(spec: ClusterSpec, hosts: readonly InspectedHost[], parent: pulumi.Resource): Machine[] {
    const cluster = new random.RandomId("cluster-id", { byteLength: 16 }, { parent });
    return spec.nodes.map((node) => {
        const inspected = hosts.find(({ host }) => host.name === node.name);
        if (inspected === undefined) {
            throw new Error(`nobody looked at the host ${node.name}`);
        }
        return new ExistingHost(inspected, { spec, cluster: cluster.hex }, { parent });
    });
}

/** What the stack puts out of each host, for its next run to compare with. */
export function knownHosts(hosts: readonly InspectedHost[]): Readonly<Record<string, KnownHost>> {
    return Object.fromEntries(
        hosts.map(({ host, report }) => [host.name, { machineId: report.machineId, hostKey: host.hostKey }]),
    );
}

class ExistingHost extends pulumi.ComponentResource implements Machine {
    readonly name: string;
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
    readonly facts: MachineFacts;

    constructor(
        { host, report }: InspectedHost,
        { spec, cluster }: { readonly spec: ClusterSpec; readonly cluster: pulumi.Output<string> },
        options: pulumi.ComponentResourceOptions,
    ) {
        super("kubelab:machines:ExistingHost", host.name, {}, options);
        const { sudoPassword } = spec;
        this.name = host.name;
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
        this.facts = factsOf(report);

        const target = targetOf(host);
        const stack = stackName();
        const request = cluster.apply((id): ClaimRequest => {
            const password = sudoPassword === undefined ? {} : { sudoPassword };
            return { name: host.name, target, ...password, cluster: id, lab: spec.name, stack, pods: spec.podCidr };
        });
        const claim = new local.Command(
            host.name,
            {
                create: `${DRIVER} claim`,
                delete: `${DRIVER} leave`,
                stdin: pulumi.secret(request.apply((value) => JSON.stringify(value))),
                // Another machine in its place; its address may change.
                triggers: [report.machineId],
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
            privateKey: pulumi.secret(target.privateKey),
            hostKey: host.hostKey,
            dialErrorLimit: 10,
            perDialTimeout: 5,
        };
        this.registerOutputs({ address: this.address });
    }
}

function factsOf({ cgroup, swap, oomScore, fixedConntrack, stubResolver }: HostReport): MachineFacts {
    return {
        // On cgroup v2 systemd owns all cgroups: https://kubernetes.io/docs/setup/production-environment/container-runtimes/#cgroup-drivers
        cgroupDriver: cgroup === "v2" ? "systemd" : "cgroupfs",
        failCgroupV1: cgroup === "v2",
        failSwapOn: !swap,
        restrictOomScoreAdj: !oomScore,
        conntrackMaxPerCore: fixedConntrack ? 0 : undefined,
        // Its servers are behind a loopback address, which pods can't reach, and CoreDNS would ask itself.
        ...(stubResolver ? { resolvConf: "/run/systemd/resolve/resolv.conf" } : {}),
        registries: [],
    };
}
