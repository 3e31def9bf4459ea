import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ClusterArgs } from "../../components";
import { CONFIG, type ConfigKey } from "../../components/cluster-spec/schema";

/** Fails to compile where a key of the config is no arg, or an arg no key. */
const KEYS: Readonly<Record<Exclude<keyof ClusterArgs, "directory">, true>> = {
    provider: true,
    name: true,
    network: true,
    cniPlugin: true,
    overlay: true,
    controlPlanes: true,
    workers: true,
    podCidr: true,
    serviceCidr: true,
    clusterDomain: true,
    versions: true,
    upgrade: true,
    hosting: true,
    nodeCertificates: true,
    components: true,
    stopAfter: true,
    serviceProxy: true,
    proxyMode: true,
    flags: true,
    allowInsecure: true,
    encryptionKeys: true,
    authorities: true,
    backup: true,
    podSecurity: true,
    registryMirrors: true,
    parts: true,
    local: true,
    aws: true,
    hosts: true,
    apiEndpoint: true,
    sudoPassword: true,
    repair: true,
    newKeys: true,
};

const SOURCE = readFileSync(join(__dirname, "../../components/cluster-args.ts"), "utf8");

/** The comments of all fields of an interface, by name. */
function docsOf(name: string): Map<string, string> {
    const body = new RegExp(`^export interface ${name} \\{\n([^]*?)^\\}$`, "m").exec(SOURCE)?.[1] ?? "";
    const fields = body.matchAll(/\/\*\*([^]*?)\*\/\s*readonly (\w+)\??:/g);
    return new Map([...fields].map(([, text = "", field = ""]) => [field, text.replace(/\s*\n\s*\*\s*/g, " ")]));
}

test("the args are the keys of the config, and a directory", () => {
    expect([...docsOf("ClusterArgs").keys()]).toEqual([...Object.keys(CONFIG), "directory"]);
    expect(Object.keys(KEYS)).toEqual(Object.keys(CONFIG));
});

test("each arg says its default, which is the config's, and an example", () => {
    for (const [key, text] of docsOf("ClusterArgs")) {
        expect(text).toMatch(/Example: `/);
        if (key in CONFIG) {
            const standard = CONFIG[key as ConfigKey].default;
            expect([key, text]).toEqual([key, expect.stringContaining(`Default: \`${JSON.stringify(standard)}\``)]);
        }
    }
});

test.each([
    ["local", "LocalArgs"],
    ["aws", "AwsArgs"],
    ["parts", "PartsArgs"],
    ["backup", "BackupArgs"],
    ["components", "ComponentArgs"],
    ["upgrade", "UpgradeArgs"],
] as const)("the settings of %s are those of the config, each with its default and an example", (key, type) => {
    const { schema } = CONFIG[key] as unknown as { readonly schema: { readonly shape: object } };
    const docs = docsOf(type);
    expect([...docs.keys()].sort()).toEqual(Object.keys(schema.shape).sort());
    for (const [field, text] of docs) {
        expect([field, text]).toEqual([field, expect.stringMatching(/(Default: |Required\. ).*Example: `/)]);
    }
});
