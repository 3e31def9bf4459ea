import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sshWords } from "../../components/steps/ssh-command";
import type { MachineRequest, NetworkRequest } from "../../scripts/machines/contract";
import type { Ran } from "./running";

const REPOSITORY = join(__dirname, "../..");

/** Labs made by the local machine driver alone, without a cluster on them. */
export class Driver {
    private readonly directory = mkdtempSync(join(tmpdir(), "kubelab-driver-"));

    /**
     * @param connectSeconds that SSH gets to connect and to agree on keys, which takes an emulated machine some seconds.
     * @param sharing options of SSH by which command lines share connections.
     */
    constructor(
        private readonly connectSeconds = 2,
        private readonly sharing: readonly string[] = [],
    ) {
        mkdirSync(join(this.directory, "images"));
        for (const name of ["host-key", "other-host-key", "user-key", "other-user-key"]) {
            execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", join(this.directory, name)]);
        }
    }

    /** Runs the driver as Pulumi does: a constant command line, JSON on standard input, pipes that it must let go of. */
    run(subject: "network" | "machine", verb: "create" | "delete", request: object): Ran {
        const command = ["--require", "tsx/cjs", "scripts/machines/main.ts", subject, verb];
        const result = spawnSync("node", command, {
            cwd: REPOSITORY,
            input: JSON.stringify(request),
            encoding: "utf8",
            timeout: 600_000,
        });
        return { code: result.status ?? 1, stdout: result.stdout, stderr: result.stderr };
    }

    /** Begins as `run` does, and ends the driver by SIGKILL as soon as `reached` says so. */
    async killWhen(subject: "network" | "machine", request: object, reached: () => boolean): Promise<void> {
        const command = ["--require", "tsx/cjs", "scripts/machines/main.ts", subject, "create"];
        const driver = spawn("node", command, { cwd: REPOSITORY, stdio: ["pipe", "ignore", "ignore"] });
        const ended = once(driver, "exit");
        driver.stdin.end(JSON.stringify(request));
        for (; driver.exitCode === null && !reached();) {
            await new Promise((resolve) => setTimeout(resolve, 50));
        }
        driver.kill("SIGKILL");
        await ended;
    }

    /** As `run`, but fails with what the driver said. */
    succeed(subject: "network" | "machine", verb: "create" | "delete", request: object): Record<string, unknown> {
        const { code, stdout, stderr } = this.run(subject, verb, request);
        if (code !== 0) {
            throw new Error(`${subject} ${verb} ended with ${code}: ${stderr}`);
        }
        return JSON.parse(stdout) as Record<string, unknown>;
    }

    /** @param prefix of the lab's /24 network, e.g. `10.251.0` */
    network(lab: string, prefix: string): NetworkRequest {
        const certificate = join(this.directory, `${lab}.crt`);
        const key = join(this.directory, `${lab}.key`);
        if (!existsSync(certificate)) {
            const kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
            const name = ["-subj", "/CN=lab registry", "-addext", `subjectAltName=IP:${prefix}.1`];
            execFileSync("openssl", ["req", ...kind, ...name, "-keyout", key, "-out", certificate], {
                stdio: "ignore",
            });
        }
        return {
            lab,
            network: `${prefix}.0/24`,
            gateway: `${prefix}.1`,
            registryPort: 5000,
            partsDirectory: this.directory,
            registryCertificate: readFileSync(certificate, "utf8"),
            registryKey: readFileSync(key, "utf8"),
            offline: true,
        };
    }

    machine(lab: string, prefix: string, name: string): MachineRequest {
        return {
            lab,
            machine: name,
            addresses: [`${prefix}.11/24`, `${prefix}.10/24`],
            gateway: `${prefix}.1`,
            hosts: { [`api.${lab}`]: `${prefix}.10` },
            hostKey: readFileSync(join(this.directory, "host-key"), "utf8"),
            authorizedKeys: [this.publicKey("user-key")],
            driver: "nspawn",
        };
    }

    /** Of a private key. */
    path(name: string): string {
        return join(this.directory, name);
    }

    publicKey(name: string): string {
        return readFileSync(join(this.directory, `${name}.pub`), "utf8").trim();
    }

    /** Runs a command line on a machine, which must prove that it has `hostKey`. */
    ssh(address: string, commandLine: string, { hostKey = "host-key", userKey = "user-key", port = 22 } = {}): Ran {
        const known = join(this.directory, "known_hosts");
        writeFileSync(known, `machine ${this.publicKey(hostKey)}\n`);
        const files = { keyFile: join(this.directory, userKey), knownHosts: known };
        const words = sshWords({ machine: "machine", address, port, user: "root", ...files });
        const options = [...this.sharing, "-o", `ConnectTimeout=${this.connectSeconds}`, "-o", "LogLevel=ERROR"];
        const result = spawnSync("ssh", [...options, ...words, commandLine], {
            encoding: "utf8",
            maxBuffer: 64 << 20,
            timeout: 120_000,
        });
        return { code: result.status ?? 1, stdout: result.stdout.trim(), stderr: result.stderr.trim() };
    }

    remove(): void {
        rmSync(this.directory, { recursive: true });
    }
}
