import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sshWords } from "../../../components/steps/ssh-command";
import type { ClusterSpec, LocalSpec } from "../../../components/cluster-spec/types";
import type { CreatedMachine, MachineFacts, MachineRequest, NetworkRequest } from "../../machines/contract";
import { timed, type Timed } from "./process";

/** Machines of the local driver with nothing on them but the parts, and SSH to them. */
export class PlainMachines {
    private readonly directory = mkdtempSync(join(tmpdir(), "kubelab-bench-"));
    private readonly requests: { readonly network: NetworkRequest; readonly machines: readonly MachineRequest[] };

    private readonly found = new Map<string, MachineFacts>();

    private constructor(
        private readonly repository: string,
        private readonly spec: ClusterSpec & { readonly local: LocalSpec },
        partsDirectory: string,
        private readonly signal: AbortSignal,
        keys: ReadonlyMap<string, { readonly secret: string; readonly open: string }>,
        registry: { readonly certificate: string; readonly key: string },
    ) {
        const { name: lab, local, nodes } = spec;
        const client = keys.get("client");
        mkdirSync(join(this.directory, "ssh"), { mode: 0o700 });
        writeFileSync(this.file("id"), client?.secret ?? "", { mode: 0o600 });
        const hosts = nodes.map(({ name }) => `${name} ${keys.get(name)?.open ?? ""}\n`);
        writeFileSync(this.file("known_hosts"), hosts.join(""));
        this.requests = {
            network: {
                lab,
                network: local.network,
                gateway: local.gateway,
                registryPort: local.registryPort,
                preload: true,
                partsDirectory,
                registryCertificate: registry.certificate,
                registryKey: registry.key,
            },
            machines: nodes.map(({ name, role }) => ({
                lab,
                machine: name,
                addresses: [`${this.address(name)}/${local.prefixLength}`],
                gateway: local.gateway,
                hosts: local.addresses,
                hostKey: keys.get(name)?.secret ?? "",
                authorizedKeys: [client?.open ?? ""],
                // As those that kubelab is measured on: `auto` might choose others here.
                driver: local.driver[role],
                vm: local.vm,
            })),
        };
    }

    /** Makes the keys. Creates no machine yet. */
    static async prepare(
        repository: string,
        spec: ClusterSpec & { readonly local: LocalSpec },
        partsDirectory: string,
        signal: AbortSignal,
    ): Promise<PlainMachines> {
        const directory = mkdtempSync(join(tmpdir(), "kubelab-bench-keys-"));
        const read = (file: string): string => readFileSync(join(directory, file), "utf8");
        try {
            const keys = new Map<string, { readonly secret: string; readonly open: string }>();
            for (const name of ["client", ...spec.nodes.map((node) => node.name)]) {
                await timed(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", join(directory, name)]);
                keys.set(name, { secret: read(name), open: read(`${name}.pub`).trim() });
            }
            await timed([
                ...["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
                ...["-subj", "/CN=lab registry", "-addext", `subjectAltName=IP:${spec.local.gateway}`, "-days", "1"],
                ...["-keyout", join(directory, "key.pem"), "-out", join(directory, "certificate.pem")],
            ]);
            const registry = { certificate: read("certificate.pem"), key: read("key.pem") };
            return new PlainMachines(repository, spec, partsDirectory, signal, keys, registry);
        } finally {
            rmSync(directory, { recursive: true });
        }
    }

    /** Seconds from nothing until every machine's SSH server takes connections. */
    async create(): Promise<number> {
        const started = performance.now();
        await this.driver("network", "create", this.requests.network, this.signal);
        await Promise.all(
            this.requests.machines.map(async (each) => {
                const { stdout } = await this.driver("machine", "create", each, this.signal);
                this.found.set(each.machine, (JSON.parse(stdout) as CreatedMachine).facts);
            }),
        );
        return (performance.now() - started) / 1000;
    }

    /** Removes network and machines, whether or not the measurement was interrupted. */
    async remove(): Promise<void> {
        await this.driver("network", "delete", { lab: this.spec.name }, undefined);
        rmSync(this.directory, { recursive: true, force: true });
    }

    /** Runs a bash script on a machine. */
    run(node: string, script: string): Promise<Timed> {
        return timed([...this.ssh(node), "bash", "-s"], {
            input: `set -euo pipefail\n${script}\n`,
            signal: this.signal,
        });
    }

    /** Runs a command line on a machine with a file of this host on its standard input. */
    feed(node: string, commandLine: string, inputFile: string): Promise<Timed> {
        return timed([...this.ssh(node), commandLine], { inputFile, signal: this.signal });
    }

    address(node: string): string {
        return this.spec.local.addresses[node] ?? "";
    }

    /** The facts of a created machine. */
    facts(node: string): MachineFacts {
        const facts = this.found.get(node);
        if (facts === undefined) {
            throw new Error(`${node} isn't created yet`);
        }
        return facts;
    }

    private ssh(node: string): string[] {
        const [keyFile, knownHosts] = [this.file("id"), this.file("known_hosts")];
        const login = { machine: node, address: this.address(node), user: "root", keyFile, knownHosts };
        return ["ssh", "-o", "LogLevel=ERROR", ...sshWords(login)];
    }

    private file(name: string): string {
        return join(this.directory, "ssh", name);
    }

    private driver(subject: string, verb: string, request: object, signal: AbortSignal | undefined): Promise<Timed> {
        const program = join(this.repository, "scripts/machines/main.ts");
        const command = [process.execPath, "--require", "tsx/cjs", program, subject, verb];
        return timed(command, { input: JSON.stringify(request), signal });
    }
}
