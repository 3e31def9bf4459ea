import { openBackup, sealBackup } from "../../../../scripts/cli/backup/archive";
import { authorityOf, identityOf } from "../../../../scripts/cli/backup/state";

const backup = {
    facts: {
        stack: "kubenet",
        lab: "kubenet",
        created: "2026-01-01T00:00:00.000Z",
        versions: { kubernetes: "1.36.3", etcd: "3.7.3" },
        podCidr: "10.200.0.0/16",
        serviceCidr: "10.32.0.0/24",
        encryptionKeys: ["key1"],
        nodes: ["cp-1"],
        authorities: {},
        authority: "ab",
        revision: 7,
        keys: 5,
    },
    state: { deployment: { resources: [] } },
    snapshot: Buffer.from([0, 1, 2, 255]),
};

test("what was sealed is opened with the same passphrase, and two files of one content have nothing in common but the first line", () => {
    const sealed = sealBackup(backup, "right");
    expect(openBackup(sealed, "right")).toEqual(backup);
    const again = sealBackup(backup, "right");
    expect(again.subarray(0, 17)).toEqual(sealed.subarray(0, 17));
    expect(again.subarray(17, 200)).not.toEqual(sealed.subarray(17, 200));
});

test("every damaged byte, a missing end and another passphrase are noticed", () => {
    const sealed = sealBackup(backup, "right");
    for (const index of [0, 16, 17, 30, 45, 60, sealed.length - 20, sealed.length - 1]) {
        const damaged = Buffer.from(sealed);
        damaged.writeUInt8(damaged.readUInt8(index) ^ 1, index);
        expect(() => openBackup(damaged, "right")).toThrow(/damaged/);
    }
    for (const length of [0, 10, 17, 40, 50, sealed.length - 1]) {
        expect(() => openBackup(sealed.subarray(0, length), "right")).toThrow(/damaged/);
    }
    expect(() => openBackup(Buffer.concat([sealed, Buffer.from("x")]), "right")).toThrow(/damaged/);
    expect(() => openBackup(sealed, "wrong")).toThrow(/another passphrase/);
});

test("a cluster's identity is what hangs on no machine", () => {
    const stack = "urn:pulumi:s::p::pulumi:pulumi:Stack::p-s";
    const of = (type: string, name: string): string => `urn:pulumi:s::p::${type}::${name}`;
    const tlsProvider = of("pulumi:providers:tls", "default");
    const commands = of("pulumi:providers:command", "default");
    const key = of("tls:index/privateKey:PrivateKey", "s-kubernetes-ca-key");
    const authority = of("tls:index/selfSignedCert:SelfSignedCert", "s-kubernetes-ca");
    const machine = of("command:local:Command", "cp-1");
    const leaf = of("tls:index/locallySignedCert:LocallySignedCert", "cp-1-etcd");
    const resource = (urn: string, more: object = {}): object => ({ urn, type: urn.split("::")[2], ...more });
    const own = { custom: true, parent: stack, provider: `${tlsProvider}::id` };
    const state = {
        version: 3,
        deployment: {
            secrets_providers: { type: "passphrase" },
            pending_operations: [{ type: "creating" }],
            resources: [
                resource(stack, { custom: false }),
                resource(tlsProvider, { custom: true }),
                resource(commands, { custom: true }),
                resource(key, own),
                resource(authority, { ...own, dependencies: [key], outputs: { certPem: "PEM" } }),
                resource(machine, { custom: true, parent: stack, provider: `${commands}::id` }),
                resource(leaf, { ...own, dependencies: [machine, key] }),
            ],
        },
    };
    const kept = identityOf(state) as typeof state;
    expect(kept.deployment.resources.map((each) => (each as { readonly urn: string }).urn)).toEqual([
        stack,
        tlsProvider,
        key,
        authority,
    ]);
    expect(kept).toMatchObject({
        version: 3,
        deployment: { secrets_providers: { type: "passphrase" }, pending_operations: [] },
    });
    expect(authorityOf(state)).toMatch(/^[0-9a-f]{64}$/);
    expect(() => authorityOf({ deployment: {} })).toThrow("no authority");
});
