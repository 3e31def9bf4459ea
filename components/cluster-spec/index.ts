import { AWS_ENDPOINT, checkEndpoint, formatEndpoint, planApi } from "./api-endpoint";
import { placeNodes, planAws } from "./aws";
import { planBackup } from "./backup";
import { bringUpSteps, stepsUntil } from "./bring-up";
import { addressAt, formatCidr } from "./cidr";
import { insecureFlags, refuseBreakingFlags, refuseInsecureFlags } from "./flag-values";
import { hostNames, planHosts } from "./hosts";
import { controlPlaneAddresses, planLocal } from "./local";
import { resolveNodeCertificates } from "./node-certificates";
import { parsePerRole } from "./per-role";
import { planNodes, sharedRange } from "./nodes";
import { resolveOverlay } from "./overlay";
import { errorInWordsOf, formatProblem, InvalidConfig, type Problem, type SettingsOf } from "./problems";
import { decodeValues, type RawConfig, readValues } from "./read";
import { planNewKeys, planRepair } from "./repair";
import { nodeCounts } from "./node-counts";
import { checkRules } from "./rules";
import { type Config, CONFIG_KEYS } from "./schema";
import { hostKernelHas, type KernelProbe, resolveServiceProxy, type RoleKernels } from "./service-proxy";
import { refuseOtherSecrets, secretFlags, withoutSecretValue } from "./secret-settings";
import type { RunningCluster } from "./immutable";
import { type ClusterSpec, FIRST_KEY, type Role, type ServiceProxy, type Versions } from "./types";
import { checkVersions } from "./version-rules";
import { givenIn, settingsWithoutEffect } from "./without-effect";
import { readPinnedVersions } from "./versions";
import { keepDrivers, thisWorkstation, virtualRoles, type Workstation } from "./virtual-machines";

export { readConfig } from "./config";
export { keptForLife, refuseImmutableChange, runningCluster, type RunningCluster } from "./immutable";
export { errorInWordsOf, formatProblem, InvalidConfig, type Problem, type RawConfig, type SettingsOf };
export type * from "./types";

const API_SERVICE = 1;
const DNS_SERVICE = 10;

export interface SpecContext {
    /** Name of the stack: the lab's name unless the config gives one. */
    readonly stack: string;
    /** Name of the component that the settings are args of; missing where they are the stack's config. */
    readonly component?: string | undefined;
    /** Asks the kernel that local machines share; by default that of this host. */
    readonly kernelModules?: KernelProbe;
    /** What virtual machines may take; by default what this host has. */
    readonly workstation?: Workstation;
    /** Default version of every part; by default what the parts file pins. */
    readonly pinnedVersions?: Versions;
    /** Keys that are secrets in the config. */
    readonly secretKeys?: readonly string[];
    /** What is wrong with the settings beside their values. */
    readonly problems?: readonly Problem[];
    /** The cluster that is running: what was chosen for it stays. */
    readonly running?: RunningCluster | undefined;
}

/**
 * Turns the stack config, or what a program gives in its place, into the description of the cluster, frozen all the way down.
 *
 * @param raw values by key without `kubelab:`; a missing key or an empty value means its default.
 * @throws InvalidConfig with every problem there is.
 */
export function parseClusterSpec(raw: RawConfig, context: SpecContext): ClusterSpec {
    const { stack, component, kernelModules = hostKernelHas, workstation = thisWorkstation() } = context;
    const named = raw["name"] !== undefined && raw["name"] !== "";
    const { config: given, problems: faults } = readValues(named ? raw : { ...raw, name: component ?? stack });
    const config = withKeptDrivers(given, context.running, workstation);
    const wrong = named
        ? faults
        : faults.map((problem) => unnamed(problem, component === undefined ? "stack" : "component"));
    // Virtual machines have Debian's kernel, which has every module that is asked for.
    const virtual = config.local === undefined ? [] : virtualRoles(config.local.driver, workstation);
    const kernels: RoleKernels = (role) => (module) => virtual.includes(role) || kernelModules(module);
    const pinned = context.pinnedVersions ?? readPinnedVersions();
    const { secretKeys = [] } = context;
    const problems = [
        ...(context.problems ?? []),
        ...refuseOtherSecrets(secretKeys),
        ...wrong,
        ...checkRules(config, kernels, workstation),
        ...settingsWithoutEffect(config, givenIn(decodeValues(raw))),
        ...checkVersions(config, pinned),
        ...refuseBreakingFlags(config),
        ...refuseInsecureFlags(config),
        ...checkEndpoint(config),
    ];
    if (problems.length > 0) {
        throw new InvalidConfig(
            component === undefined ? { stack } : { component },
            inOrderOfKeys(problems.map((problem) => withoutSecretValue(problem, secretKeys))),
        );
    }
    const spec = derive(config as Config, context.running ?? {}, kernels, workstation, pinned);
    return deepFreeze({ ...spec, secretFlags: secretFlags(spec.flags, secretKeys) });
}

/** An earlier version, which didn't tell, made containers only. */
const FORMER_DRIVERS = { "control-plane": "nspawn", worker: "nspawn" } as const;

function withKeptDrivers(
    config: Partial<Config>,
    running: RunningCluster | undefined,
    workstation: Workstation,
): Partial<Config> {
    if (running === undefined || config.local === undefined) {
        return config;
    }
    const { drivers = FORMER_DRIVERS } = running;
    return { ...config, local: { ...config.local, driver: keepDrivers(config.local.driver, drivers, workstation) } };
}

function derive(
    config: Config,
    running: RunningCluster,
    kernels: RoleKernels,
    workstation: Workstation,
    pinned: Versions,
): Omit<ClusterSpec, "secretFlags"> {
    const { name = "", provider, network, cniPlugin, components, podCidr, serviceCidr, clusterDomain } = config;
    const { controlPlanes, workers } = nodeCounts(config);
    const mostControlPlanes = Math.max(controlPlanes, running.mostControlPlanes ?? 1);
    const hosts = provider === "hosts" ? planHosts(config.hosts) : undefined;
    const planned = planNodes(podCidr, controlPlanes, workers, {
        ...(hosts === undefined ? {} : { nameOf: hostNames(hosts) }),
        assigned: network !== "cni",
    });
    // One that the cluster has got stays: kubeconfigs have its name.
    const balanced = config.aws.loadBalancer ?? (mostControlPlanes > 1 || running.apiEndpoint === AWS_ENDPOINT);
    const aws = provider === "aws" ? planAws(config.aws, planned, balanced) : undefined;
    const apiEndpoint =
        aws === undefined ? formatEndpoint(config.apiEndpoint) : aws.loadBalancer ? AWS_ENDPOINT : undefined;
    const bridgeRange = sharedRange(podCidr);
    const placed = aws === undefined ? planned : placeNodes(planned, aws);
    const nodes = network === "bridge" ? placed.map((node) => ({ ...node, ...bridgeRange })) : placed;
    const local =
        provider === "local"
            ? planLocal(
                  config.local.network,
                  { ...config.local, virtual: virtualRoles(config.local.driver, workstation) },
                  nodes,
              )
            : undefined;
    const apiServiceIp = addressAt(serviceCidr, API_SERVICE);
    const highlyAvailable = mostControlPlanes > 1 || apiEndpoint !== undefined;
    const hostMembers = hosts?.filter(({ role }) => role === "control-plane").map((host) => host.privateAddress) ?? [];
    const first = nodes.find(({ role }) => role === "control-plane")?.name ?? "";
    const api = planApi(config, {
        lab: name,
        apiServiceIp,
        own: local?.apiAddress ?? aws?.machines[first]?.privateAddress ?? hostMembers[0],
        highlyAvailable,
        members:
            local === undefined
                ? [...(running.apiHolders ?? []), ...hostMembers]
                : controlPlaneAddresses(config.local.network, mostControlPlanes),
        balanced: aws !== undefined,
    });
    // Who implements services in the cluster that is running, where `auto` has decided that.
    const chosen = running.serviceProxy === undefined ? undefined : parsePerRole<ServiceProxy>(running.serviceProxy);
    const auto = resolveServiceProxy({ provider, network, cniPlugin }, kernels);
    const proxyOf = (role: Role): ServiceProxy => {
        const { [role]: wanted } = config.serviceProxy;
        const proxy = wanted === "auto" ? (chosen?.[role] ?? auto) : wanted;
        return proxy === "kube-proxy" && !components.kubeProxy ? "none" : proxy;
    };
    const serviceProxy = { "control-plane": proxyOf("control-plane"), worker: proxyOf("worker") };
    return {
        name,
        provider,
        network,
        cniPlugin,
        overlay: config.overlay === "auto" ? resolveOverlay(provider, aws?.subnets.length ?? 1) : config.overlay,
        hosting: config.hosting,
        nodeCertificates: config.nodeCertificates ?? resolveNodeCertificates(config),
        serviceProxy,
        proxyMode: config.proxyMode,
        podCidr: formatCidr(podCidr),
        bridgeRange,
        serviceCidr: formatCidr(serviceCidr),
        apiServiceIp,
        dnsIp: addressAt(serviceCidr, DNS_SERVICE),
        clusterDomain,
        api,
        ...withoutUndefined({ apiEndpoint }),
        highlyAvailable,
        mostControlPlanes,
        controlPlanes: nodes.filter(({ role }) => role === "control-plane"),
        workers: nodes.filter(({ role }) => role === "worker"),
        nodes,
        versions: { ...pinned, ...withoutUndefined(config.versions) },
        upgrade: config.upgrade,
        components,
        flags: withoutUndefined(config.flags),
        insecure: insecureFlags(config.flags),
        podSecurity: config.podSecurity,
        ...withoutUndefined({ backup: planBackup(config.backup) }),
        encryptionKeys: config.encryptionKeys.length === 0 ? [FIRST_KEY] : config.encryptionKeys,
        authorities: config.authorities,
        registryMirrors: config.registryMirrors,
        parts: {
            source: config.parts.source,
            // A laptop's uplink is no place for hundreds of megabytes per machine.
            delivery: config.parts.delivery ?? (provider === "aws" ? "download" : "push"),
            ...withoutUndefined({ directory: config.parts.directory }),
        },
        steps: stepsUntil(bringUpSteps({ ...config, serviceProxy }), config.stopAfter),
        repair: planRepair(
            config.repair,
            nodes.map((node) => node.name),
        ),
        newKeys: planNewKeys(
            config.newKeys,
            nodes.map((node) => node.name),
        ),
        ...(local === undefined ? {} : { local }),
        ...(aws === undefined ? {} : { aws }),
        ...(hosts === undefined ? {} : { hosts, ...withoutUndefined({ sudoPassword: config.sudoPassword }) }),
    };
}

/** Names the source of an invalid name that the settings do not contain. */
function unnamed(problem: Problem, named: string): Problem {
    const remedy = `it is the ${named}'s name, so give the lab another one as kubelab:name`;
    return problem.key === "name" ? { ...problem, remedy } : problem;
}

/** Problems in the order of the keys in Pulumi.yaml, unknown keys last. */
function inOrderOfKeys(problems: readonly Problem[]): Problem[] {
    const names: readonly string[] = CONFIG_KEYS;
    const position = ({ key }: Problem): number => {
        const found = names.indexOf(/^\w*/.exec(key)?.[0] ?? "");
        return found < 0 ? names.length : found;
    };
    return [...problems].sort((a, b) => position(a) - position(b));
}

type Defined<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };

function withoutUndefined<T extends object>(settings: T): Defined<T> {
    return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) as Defined<T>;
}

function deepFreeze<T extends object>(value: T): T {
    Object.values(value).forEach((inner: unknown) => {
        if (typeof inner === "object" && inner !== null) {
            deepFreeze(inner);
        }
    });
    return Object.freeze(value);
}
