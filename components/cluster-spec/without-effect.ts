import type { Problem } from "./problems";
import { CONFIG, type Config, type ConfigKey } from "./schema";

/** Whether a key was given another value than its default. */
export type Given = (key: ConfigKey) => boolean;

/** Settings that nothing reads in the cluster that the others describe: each one is a mistake, or will surprise its author. */
export function settingsWithoutEffect(config: Partial<Config>, differs: Given): Problem[] {
    // One that is wrong in itself is reported as that.
    const given: Given = (key) => config[key] !== undefined && differs(key);
    return [
        ...ofNetwork(config, given),
        ...ofProvider(config, given),
        ...ofParts(config, given),
        ...ofBackup(config, given),
    ];
}

function ofNetwork({ network, cniPlugin, overlay }: Partial<Config>, given: Given): Problem[] {
    if (network === undefined || network === "cni") {
        return [];
    }
    const values = { cniPlugin, overlay } as const;
    return (["cniPlugin", "overlay"] as const)
        .filter(given)
        .map((key) => idle(key, values[key], `the network is ${network}`, 'set kubelab:network to "cni"'));
}

function ofProvider(config: Partial<Config>, given: Given): Problem[] {
    const { provider, repair, workers, aws } = config;
    if (provider === undefined) {
        return [];
    }
    const owned = { local: "local", aws: "aws", hosts: "hosts", apiEndpoint: "hosts", sudoPassword: "hosts" } as const;
    const others = (Object.keys(owned) as (keyof typeof owned)[])
        .filter((key) => owned[key] !== provider && given(key))
        .map((key) => idle(key, undefined, `the provider is ${provider}`, `set kubelab:provider to "${owned[key]}"`));
    const counts = (provider === "hosts" ? (["controlPlanes", "workers"] as const) : [])
        .filter(given)
        .map((key) => idle(key, config[key], "kubelab:hosts decides", "list the hosts there"));
    const host = provider === "local" ? undefined : repair?.["host"];
    const types = (["workerType", "spotWorkers"] as const).flatMap((setting) => {
        const value = provider === "aws" && workers === 0 ? aws?.[setting] : undefined;
        return value === undefined || value === false
            ? []
            : [idle(`aws.${setting}`, value, "there are no workers", "set kubelab:workers to 1 or more")];
    });
    return [
        ...others,
        ...counts,
        ...types,
        ...(host === undefined
            ? []
            : [idle("repair.host", host, "only a local lab has parts on the workstation", "name a node")]),
    ];
}

function ofBackup({ backup }: Partial<Config>, given: Given): Problem[] {
    return given("backup") && backup?.every === undefined
        ? [
              {
                  key: "backup.every",
                  value: undefined,
                  problem: "is missing, so that no snapshot is taken",
                  remedy: "add it, 6h say, or remove kubelab:backup",
              },
          ]
        : [];
}

/** What is said of parts that aren't run. */
function ofParts(config: Partial<Config>, given: Given): Problem[] {
    const { components, network, cniPlugin, serviceProxy, proxyMode, flags = {}, versions = {} } = config;
    if (components === undefined || network === undefined || cniPlugin === undefined) {
        return [];
    }
    const off = (name: keyof typeof components) => `kubelab:components.${name} is false`;
    const byIpvs = serviceProxy !== undefined && Object.values(serviceProxy).every((proxy) => proxy === "ipvs");
    const noProxy = !components.kubeProxy ? off("kubeProxy") : byIpvs ? "kube-router does IPVS" : "";
    const absent = {
        "kube-controller-manager": components.controllerManager ? "" : off("controllerManager"),
        "kube-scheduler": components.scheduler ? "" : off("scheduler"),
        "kube-proxy": noProxy,
    };
    const plugin = network === "cni" ? `the plugin is ${cniPlugin}` : `the network is ${network}`;
    const unused = {
        coredns: components.dns ? "" : off("dns"),
        flannel: network === "cni" && cniPlugin === "flannel" ? "" : plugin,
        kubeRouter: network === "cni" && cniPlugin === "kube-router" ? "" : plugin,
    };
    return [
        ...(given("proxyMode") && noProxy !== "" ? [idle("proxyMode", proxyMode, noProxy, "let kube-proxy run")] : []),
        ...(Object.keys(absent) as (keyof typeof absent)[])
            .filter((name) => absent[name] !== "" && Object.keys(flags[name] ?? {}).length > 0)
            .map((name) => idle(`flags.${name}`, undefined, absent[name], "let it run")),
        ...(Object.keys(unused) as (keyof typeof unused)[])
            .filter((name) => unused[name] !== "" && versions[name] !== undefined)
            .map((name) => idle(`versions.${name}`, versions[name], unused[name], "change that")),
    ];
}

function idle(key: string, value: unknown, because: string, instead: string): Problem {
    return { key, value, problem: `has no effect: ${because}`, remedy: `remove it, or ${instead}` };
}

/** Which keys were given something else than their default, as the stack or a program wrote it. */
export function givenIn(decoded: Readonly<Record<string, unknown>>): Given {
    return (key) => {
        const { [key]: value } = decoded;
        const text = (each: unknown) => (typeof each === "string" ? each : JSON.stringify(each));
        return value !== undefined && value !== null && value !== "" && text(value) !== text(CONFIG[key].default);
    };
}
