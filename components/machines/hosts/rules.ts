import type { ClusterSpec, HostSpec, Role } from "../../cluster-spec/types";
import { apiTools } from "../../cluster-spec/api-tools";
import { portsOf } from "./ports";
import type { HostReport } from "./report";

/** A problem or a warning about a host. */
export interface Finding {
    /** Name of the node, or of several. */
    readonly host: string;
    /** What is wrong, a clause. */
    readonly problem: string;
    /** What to do, a clause. */
    readonly remedy: string;
    /** It is no reason to stop. */
    readonly warning?: boolean;
}

/** A host and its facts. */
export interface InspectedHost {
    readonly host: HostSpec;
    readonly report: HostReport;
}

/** What a host was when the cluster last came up. */
export interface KnownHost {
    readonly machineId: string;
    readonly hostKey: string;
}

/** Releases that this was written for. */
const TRIED = ["debian 12", "debian 13", "ubuntu 24.04"];
const MIB = 1024;
const GIB = 1024 ** 3;
/** KiB; https://kubernetes.io/docs/setup/production-environment/tools/kubeadm/install-kubeadm/#before-you-begin */
const MEMORY = { "control-plane": 1700 * MIB, worker: 900 * MIB } as const;
/** Bytes. */
const ROOM: Readonly<Record<string, number>> = { "/opt": GIB, "/var/lib": 3 * GIB };
/** Where inspect.sh tries whether the host finds a registry. */
const REGISTRY = "registry.k8s.io";
/** Seconds that a clock may be off: certificates are valid from the second in which they are made. */
export const CLOCK_TOLERANCE = 5;

/** The problems of one host on its own. */
export function checkHost(
    { host, report }: InspectedHost,
    spec: ClusterSpec,
    context: { readonly stack: string; readonly known?: KnownHost | undefined },
): Finding[] {
    const { claim } = report;
    const own = claim !== undefined && claim.stack === context.stack && claim.lab === spec.name;
    const findings = [
        ...checkSystem(report, apiTools(spec, host.role)),
        ...checkKernel(report, spec, host.role),
        ...checkNames(report, spec),
        ...checkIdentity(report, host, context.known),
        ...(claim !== undefined && !own ? [belongsToAnother(claim)] : []),
        // The cluster's own files are no problem.
        ...(claim !== undefined
            ? []
            : [...checkOthers(report), ...checkResources(report, host), ...checkPorts(report, host, spec)]),
    ];
    return findings.map((finding) => ({ host: host.name, ...finding }));
}

type Unnamed = Omit<Finding, "host">;

function belongsToAnother({ lab, stack }: NonNullable<HostReport["claim"]>): Unnamed {
    return {
        problem: `is a node of another cluster: lab "${lab}" of the stack ${stack}`,
        remedy: "destroy that one, or take the host out of it; if it is gone for good, run 'sudo bash /var/lib/kubelab/leave' on the host",
    };
}

/** Programs that only some hosts need. */
const OPTIONAL: readonly string[] = ["keepalived", "haproxy"];

/** @param tools those of `OPTIONAL` that this one needs. */
function checkSystem({ os, init, missing: all, synchronized, clock }: HostReport, tools: readonly string[]): Unnamed[] {
    const missing = all.filter(({ program }) => !OPTIONAL.includes(program) || tools.includes(program));
    const packages = [...new Set(missing.map((each) => each.package))];
    const release = `${os.id} ${os.version}`;
    return [
        ...(init === "systemd" ? [] : [{ problem: `runs ${init} as process 1`, remedy: "use a host with systemd" }]),
        ...(TRIED.some((tried) => release === tried || release.startsWith(`${tried}.`))
            ? []
            : [
                  {
                      problem: `runs ${os.name || release}, which is untested`,
                      remedy: `${TRIED.join(", ")} are supported`,
                      warning: true,
                  },
              ]),
        ...(packages.length === 0
            ? []
            : [
                  {
                      problem: `lacks ${missing.map(({ program }) => program).join(", ")}`,
                      remedy: `run 'sudo apt-get install --yes ${packages.join(" ")}' on it`,
                  },
              ]),
        ...(Math.abs(clock) <= CLOCK_TOLERANCE
            ? []
            : [
                  {
                      problem: `has a clock that is ${Math.abs(clock).toFixed(0)} seconds ${clock > 0 ? "ahead of" : "behind"} this machine's`,
                      remedy: "set both by the network: 'timedatectl set-ntp true'",
                  },
              ]),
        ...(synchronized
            ? []
            : [
                  {
                      problem: "has a clock that nothing sets",
                      remedy: "install systemd-timesyncd or chrony: certificates depend on it",
                      warning: true,
                  },
              ]),
    ];
}

function checkKernel({ lacks, kernel }: HostReport, spec: ClusterSpec, role: Role): Unnamed[] {
    const { [role]: proxy } = spec.serviceProxy;
    const needed: Readonly<Record<string, boolean>> = {
        overlayfs: true,
        br_netfilter: true,
        conntrack: true,
        nftables: spec.proxyMode === "nftables" && proxy === "kube-proxy",
        ip_vs: proxy === "ipvs",
    };
    return lacks
        .filter((feature) => needed[feature] === true)
        .map((feature) => ({
            problem: `has a kernel (${kernel}) without ${feature}`,
            remedy:
                feature === "ip_vs"
                    ? 'set kubelab:serviceProxy to "kube-proxy", or install the kernel\'s modules'
                    : "use the distribution's own kernel, with its modules",
        }));
}

function checkResources({ memory, room }: HostReport, { role }: HostSpec): Unnamed[] {
    const mib = (kib: number): string => `${Math.round(kib / MIB)} MiB`;
    const least = MEMORY[role];
    return [
        ...(memory >= least
            ? []
            : [{ problem: `has ${mib(memory)} of memory`, remedy: `a ${role} needs ${mib(least)} at least` }]),
        ...Object.entries(ROOM)
            .filter(([directory, bytes]) => (room[directory] ?? 0) < bytes)
            .map(([directory, bytes]) => ({
                problem: `has ${((room[directory] ?? 0) / GIB).toFixed(1)} GiB free for ${directory}`,
                remedy: `make room: it needs ${bytes / GIB} GiB there`,
            })),
    ];
}

function checkOthers({ foreign }: HostReport): Unnamed[] {
    return foreign.length === 0
        ? []
        : [
              {
                  problem: `has a container runtime, or Kubernetes, that isn't this cluster's: ${foreign.join(", ")}`,
                  remedy: "remove it, or use another host: nothing of it is overwritten",
              },
          ];
}

function checkPorts({ ports }: HostReport, { role }: HostSpec, spec: ClusterSpec): Unnamed[] {
    return portsOf(spec, role).flatMap(({ protocol, port, process }) => {
        const taken = ports.find((each) => each.port === port && each.protocol === protocol);
        const by = taken?.program ? `by ${taken.program}` : "already";
        return taken === undefined
            ? []
            : [
                  {
                      problem: `uses ${protocol} port ${port} ${by}, which ${process} needs`,
                      remedy: `stop what listens there: 'sudo ss -lnp sport = :${port}'`,
                  },
              ];
    });
}

function checkNames({ unresolved, hostname }: HostReport, { registryMirrors }: ClusterSpec): Unnamed[] {
    const mirrored = ["_default", REGISTRY].some((registry) => registry in registryMirrors);
    return unresolved
        .filter((name) => !(mirrored && name === REGISTRY))
        .map((name) =>
            name === hostname || name === "localhost"
                ? {
                      problem: `can't resolve its own name ${name}`,
                      remedy: `add it to /etc/hosts: '127.0.${name === "localhost" ? "0" : "1"}.1 ${name}'`,
                  }
                : {
                      problem: `can't resolve ${name}`,
                      remedy: "images come from there, unless kubelab:registryMirrors has them",
                      warning: true,
                  },
        );
}

/** A host with another installation than before: it was reinstalled, or its disk is a copy. */
function checkIdentity(
    { machineId, claim }: HostReport,
    { hostKey, machineId: meant }: HostSpec,
    known: KnownHost | undefined,
): Unnamed[] {
    if (machineId === "") {
        return [{ problem: "has no /etc/machine-id", remedy: "run 'sudo systemd-machine-id-setup' on it" }];
    }
    if (meant !== undefined) {
        const remedy = "set it to what /etc/machine-id is on the host, if that is the one you mean";
        return meant === machineId
            ? []
            : [{ problem: `has the machine id ${machineId}, and kubelab:hosts says ${meant}`, remedy }];
    }
    // A new host key in the config shows that the user knows of the new installation.
    const was = known?.hostKey === hostKey ? known.machineId : claim?.machineId;
    if (was === undefined || was === machineId) {
        return [];
    }
    return [
        {
            problem: `is another installation than the one that joined: its machine id was ${was} and is ${machineId}`,
            remedy: `if it was reinstalled, confirm that in kubelab:hosts with 'machineId: ${machineId}': it gets everything again; if it is a copy of another disk, give it a machine id of its own`,
        },
    ];
}
