// The program that both kinds of providers serve, as a Pulumi project of its own: `sample:step` says which of its changes is on.
const { local, remote } = require("@pulumi/command");
const pulumi = require("@pulumi/pulumi");
const random = require("@pulumi/random");
const tls = require("@pulumi/tls");

const config = new pulumi.Config("sample");
const step = config.require("step");
const log = config.require("log");
const note = (what, name) => `echo "${what} ${name} $(cat)" >> ${log}`;
const command = (name, args = {}, options = {}) =>
    new local.Command(
        name,
        {
            create: `${note("run", name)}; echo ${name}`,
            delete: note("delete", name),
            addPreviousOutputInEnv: false,
            ...args,
        },
        options,
    );
// By SSH, with a key that is secret and one that isn't, and a standard input of each kind.
const remoteCommand = (name, privateKey, args) =>
    new remote.Command(name, {
        connection: { ...config.requireObject("machine"), privateKey },
        create: `${note("run", name)}; echo ${name}`,
        delete: note("delete", name),
        addPreviousOutputInEnv: false,
        ...args,
    });
const is = (...steps) => steps.includes(step);

const bytes = new random.RandomBytes("bytes", { length: 8 });
const id = new random.RandomId("id", { byteLength: 4, keepers: { of: is("renew") ? "2" : "1" } });

const authorityKey = new tls.PrivateKey("authority-key", { algorithm: "ECDSA", ecdsaCurve: "P256" });
const authority = new tls.SelfSignedCert("authority", {
    privateKeyPem: authorityKey.privateKeyPem,
    isCaCertificate: true,
    setSubjectKeyId: true,
    subject: { commonName: "sample" },
    allowedUses: ["cert_signing", "digital_signature"],
    validityPeriodHours: 8760,
});
const leafKey = new tls.PrivateKey("leaf-key", { algorithm: "ED25519" });
const request = new tls.CertRequest("leaf-request", {
    privateKeyPem: leafKey.privateKeyPem,
    subject: { commonName: "leaf", organization: "sample" },
    dnsNames: is("renew") ? ["a.sample", "b.sample"] : ["a.sample"],
    ipAddresses: ["10.0.0.1"],
});
const leaf = new tls.LocallySignedCert("leaf", {
    certRequestPem: request.certRequestPem,
    caPrivateKeyPem: authorityKey.privateKeyPem,
    caCertPem: authority.certPem,
    allowedUses: ["digital_signature", "server_auth"],
    validityPeriodHours: 720,
    earlyRenewalHours: is("change-flag") ? 24 : 48,
});
command("user-of-secret", { stdin: pulumi.interpolate`${leafKey.privateKeyPem}`.apply((pem) => pem.slice(5, 10)) });

const sshKey = config.require("key");
remoteCommand("step", pulumi.secret(sshKey), { stdin: is("change-flag") ? "2" : "1" });
remoteCommand("secret-step", sshKey, { stdin: pulumi.secret("hidden") });

const network = command("network", { stdin: "net" });
const vm = command(
    "vm",
    { stdin: "vm", triggers: [is("replace-vm") ? "b" : "a"] },
    { dependsOn: network, deleteBeforeReplace: true },
);
const node = new pulumi.ComponentResource("sample:index:Node", "node", {}, { deletedWith: vm });
const service = command(
    "service",
    { stdin: pulumi.interpolate`flags ${is("change-flag") ? 2 : 1}`, triggers: [vm.id] },
    { parent: node, deleteBeforeReplace: true },
);
command("reader", { stdin: service.stdout }, { dependsOn: service });
command("updater", {
    stdin: is("change-flag") ? "2" : "1",
    create: "echo first",
    update: 'echo "then, after $PULUMI_COMMAND_STDOUT"',
    addPreviousOutputInEnv: true,
    environment: { A: "b" },
    logging: "none",
});
const certificate = command("certificate", { stdin: "cert", triggers: [is("renew") ? "2" : "1"] });
command("user-of-certificate", { stdin: "x", triggers: [certificate.id] }, { deleteBeforeReplace: true });
if (!is("remove", "destroy")) {
    const extra = command("extra", { stdin: "e" }, { dependsOn: vm });
    command("extra-part", { stdin: "p" }, { dependsOn: extra });
    command("extra-service", { stdin: "s" }, { deletedWith: extra });
}
if (is("fail", "after-fail")) {
    const bad = command("bad", { create: is("fail") ? "echo why >&2; exit 3" : note("run", "bad"), stdin: "b" });
    command("after-bad", { stdin: bad.stdout });
}
if (is("kill", "after-kill")) {
    const slow = command("slow", { create: `${note("run", "slow")}; sleep ${is("kill") ? 30 : 0}`, stdin: "s" });
    command("after-slow", { stdin: slow.stdout });
}
exports.service = service.stdout;
exports.hidden = pulumi.secret("hidden");
exports.length = bytes.length;
exports.hasId = id.hex.apply((hex) => /^[0-9a-f]{8}$/.test(hex));
exports.isRenewed = leaf.readyForRenewal;
