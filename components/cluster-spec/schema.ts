import { perRole } from "./per-role";
import { z } from "zod";
import { SOURCES } from "../../scripts/parts/contract";
import { AUTHORITIES, FIRST_GENERATION } from "./authorities";
import { backupSchema } from "./backup";
import * as field from "./fields";
import { refuseOwnedFlag } from "../steps/flag-rules";
import { FLAG_RULES } from "./flags";
import { BRING_UP_STEPS, FLAGGED_COMPONENTS, type FlaggedComponent, POD_SECURITY_LEVELS } from "./types";
import { VERSIONED_PARTS } from "./versions";
import { MACHINE_SETTINGS } from "./virtual-machines";
import { PORTS } from "./ports";

const local = z.strictObject({
    network: field.privateCidr.prefault("10.240.0.0/24"),
    registryPort: field.port.prefault(PORTS.registry),
    preloadParts: field.toggle.prefault(true),
    ...MACHINE_SETTINGS,
});

const aws = z.strictObject({
    region: field.awsRegion.prefault("eu-central-1"),
    availabilityZones: z.array(z.string()).min(1).optional(),
    allowedCidrs: z.array(field.anyCidr).min(1).optional(),
    network: field.privateCidr.prefault("10.240.0.0/16"),
    architecture: z.enum(["amd64", "arm64"]).default("amd64"),
    controlPlaneType: field.instanceType.optional(),
    workerType: field.instanceType.optional(),
    loadBalancer: field.toggle.optional(),
    spotWorkers: field.toggle.prefault(false),
    ami: field.ami.optional(),
    volumeSize: field.integer(8, 16384).prefault(20),
    terminationProtection: field.toggle.prefault(false),
    keyFile: field.absolutePath.optional(),
    profile: z.string().min(1).optional(),
    tags: field.awsTags.prefault({}),
});

const host = z.strictObject({
    name: field.label(63).optional(),
    role: z.enum(["control-plane", "worker"]),
    address: field.hostAddress,
    privateAddress: field.ipv4Address.optional(),
    user: field.userName.prefault("root"),
    port: field.port.prefault(22),
    keyFile: field.absolutePath,
    hostKey: field.publicKey,
    machineId: field.machineId.optional(),
});

const apiEndpoint = z
    .strictObject({ address: field.ipv4Address.optional(), loadBalancer: field.endpoint(PORTS.apiServer).optional() })
    .superRefine(({ address, loadBalancer }, context) => {
        if (address !== undefined && loadBalancer !== undefined) {
            field.fault(context, "has both address and loadBalancer", "remove one: the API has one endpoint");
        }
    });

function flagName(component: FlaggedComponent) {
    return z.string().superRefine((name, context) => {
        if (!/^[a-z][a-z0-9-]*$/.test(name)) {
            const bare = name.replace(/^-+/, "").replace(/=.*$/, "").replace(/_/g, "-").toLowerCase();
            field.fault(context, "has a key that is not the name of a flag", `did you mean "${bare}"?`);
        }
        const remedy = refuseOwnedFlag(FLAG_RULES[component], name);
        if (remedy !== undefined) {
            field.fault(context, "can't be set, because kubelab owns this flag", remedy);
        }
    });
}

const oneLine = z.union([z.string(), z.number(), z.boolean()]).transform((value, context) => {
    const text = String(value);
    const control = /[\u0000-\u001f\u007f]/.test(text);
    return control ? field.fault(context, "has a line break or control character in it", "write it on one line") : text;
});

function perName<Name extends string, Schema extends z.ZodType>(
    names: readonly Name[],
    schema: (name: Name) => Schema,
) {
    return z.strictObject(
        Object.fromEntries(names.map((name) => [name, schema(name)])) as Readonly<Record<Name, Schema>>,
    );
}

const registryName = z.string().superRefine((name, context) => {
    if (!/^(_default|[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d+)?)$/.test(name)) {
        const bare = name.replace(/^https?:\/\//, "").replace(/\/.*$/, "");
        field.fault(context, "has a key that is not the host of a registry", `did you mean "${bare}"?`);
    }
});

const parts = z
    .strictObject({
        source: z.enum(SOURCES).default("auto"),
        delivery: z.enum(["download", "push", "relay"]).optional(),
        directory: field.absolutePath.optional(),
    })
    .superRefine(({ source, directory }, context) => {
        const path = ["directory"];
        if (source === "directory" && directory === undefined) {
            const remedy = "give the absolute path of a parts directory";
            context.addIssue({
                code: "custom",
                path,
                message: 'is missing for the source "directory"',
                params: { remedy },
            });
        } else if (source !== "directory" && directory !== undefined) {
            const remedy = 'remove it, or set kubelab:parts.source to "directory"';
            context.addIssue({
                code: "custom",
                path,
                message: `isn't read with the source "${source}"`,
                params: { remedy },
            });
        }
    });

function refuseTwice(names: readonly (string | number)[], context: z.RefinementCtx): void {
    const twice = names.find((name, position) => names.indexOf(name) !== position);
    if (twice !== undefined) {
        field.fault(context, `has "${twice}" twice`, "list each name once");
    }
}

/** One key of the stack config: its type and default as Pulumi.yaml declares them, and the rules for its value. */
function key<Default, Schema extends z.ZodType>(
    type: "string" | "integer" | "object" | "array",
    value: Default,
    schema: Schema,
) {
    return { type, default: value, schema } as const;
}

/** Every `kubelab:` key. An empty text, object or list stands for "not set". */
export const CONFIG = {
    provider: key("string", "local", z.enum(["local", "aws", "hosts"])),
    name: key("string", "", field.label(32).optional()),
    network: key("string", "kubenet", z.enum(["kubenet", "cni", "bridge"])),
    cniPlugin: key("string", "kube-router", z.enum(["kube-router", "flannel"])),
    overlay: key("string", "auto", z.enum(["auto", "none", "subnet", "full"])),
    controlPlanes: key("integer", 1, field.integer(1, 5)),
    workers: key("integer", 2, field.integer(0, 1000)),
    podCidr: key("string", "10.99.0.0/16", field.cidr),
    serviceCidr: key("string", "10.32.0.0/24", field.cidr),
    clusterDomain: key("string", "cluster.local", field.domain),
    versions: key(
        "object",
        {},
        perName(VERSIONED_PARTS, () => field.version.optional()),
    ),
    upgrade: key(
        "object",
        {},
        z.strictObject({
            maxUnavailable: field.integer(1, 1000).prefault(1),
            drainTimeout: field.integer(1, 86400).prefault(300),
        }),
    ),
    hosting: key("string", "systemd", z.enum(["systemd", "static-pods"])),
    nodeCertificates: key("string", "", z.enum(["bootstrap", "issued"]).optional()),
    components: key(
        "object",
        {},
        perName(["scheduler", "controllerManager", "kubeProxy", "dns"], () => field.toggle.prefault(true)),
    ),
    stopAfter: key("string", "", z.enum(BRING_UP_STEPS).optional()),
    serviceProxy: key("object", "auto", perRole(["auto", "kube-proxy", "ipvs"], "auto")),
    proxyMode: key("string", "nftables", z.enum(["nftables", "iptables"])),
    flags: key(
        "object",
        {},
        perName(FLAGGED_COMPONENTS, (name) => z.record(flagName(name), oneLine).optional()),
    ),
    allowInsecure: key("array", [] as readonly unknown[], z.array(z.string().min(1))),
    encryptionKeys: key("array", [] as readonly unknown[], z.array(field.label(32)).superRefine(refuseTwice)),
    authorities: key(
        "object",
        {},
        perName(AUTHORITIES, () =>
            z
                .array(field.integer(1, 1000))
                .min(1)
                .max(2)
                .superRefine(refuseTwice)
                .prefault([...FIRST_GENERATION]),
        ),
    ),
    backup: key("object", {}, backupSchema),
    podSecurity: key(
        "object",
        {},
        z.strictObject({
            enforce: z.enum(POD_SECURITY_LEVELS).default("baseline"),
            warn: z.enum(POD_SECURITY_LEVELS).default("restricted"),
        }),
    ),
    registryMirrors: key("object", {}, z.record(registryName, z.array(field.registryUrl).min(1))),
    parts: key("object", {}, parts),
    local: key("object", {}, local),
    aws: key("object", {}, aws),
    hosts: key("array", [] as readonly unknown[], z.array(host)),
    apiEndpoint: key("object", {}, apiEndpoint),
    sudoPassword: key("string", "", field.password.optional()),
    repair: key("object", {}, z.record(z.string(), oneLine)),
    newKeys: key("object", {}, z.record(z.string(), oneLine)),
} as const;

export type ConfigKey = keyof typeof CONFIG;
export const CONFIG_KEYS = Object.keys(CONFIG) as ConfigKey[];

/** The values of the stack config, each one right in itself. */
export type Config = { readonly [Key in ConfigKey]: z.output<(typeof CONFIG)[Key]["schema"]> };
