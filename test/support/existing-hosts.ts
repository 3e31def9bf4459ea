import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { quote } from "../../components/steps/script";
import { partsPath } from "../../scripts/parts/paths";
import type { Release } from "../../scripts/machines/rootfs-recipe";
import { Driver } from "./driver";
import { keepsForInspection } from "./story";

const REPOSITORY = join(__dirname, "../..");

/** The user that the hosts let in beside root. */
export const ADMIN = "kubelab-admin";

export interface WantedHost {
    readonly name: string;
    /** Last byte of its address. */
    readonly position: number;
    readonly release: Release;
    /** What sudo asks of the user; it asks for nothing where this is missing. */
    readonly sudoPassword?: string;
    /** Settings of a virtual machine; a container where they are missing. */
    readonly vm?: { readonly memory: number };
}

/** An entry of `kubelab:hosts`. */
export interface HostEntry {
    readonly name: string;
    readonly role: "control-plane" | "worker";
    readonly address: string;
    readonly user: string;
    readonly keyFile: string;
    readonly hostKey: string;
}

/** Machines that exist before any cluster does, as somebody's servers would: with a user of their own who may use sudo. */
export class ExistingHosts {
    /** The image registry beside them. */
    readonly registry: string;

    /** @param prefix of their /24 network, e.g. `10.236.1` */
    constructor(
        readonly lab: string,
        private readonly prefix: string,
        readonly driver = new Driver(),
    ) {
        this.registry = `https://${prefix}.1:5000`;
    }

    address({ position }: Pick<WantedHost, "position">): string {
        return `${this.prefix}.${position}`;
    }

    /** Makes them, with a registry beside them that has the images of the parts; the same again mends what isn't there. */
    create(hosts: readonly WantedHost[]): void {
        const network = { ...this.driver.network(this.lab, this.prefix), partsDirectory: partsPath(partsDigest()) };
        this.driver.succeed("network", "create", network);
        hosts.forEach((host) => this.install(host));
    }

    /** As if its disk had been written anew: with another machine id, and with its host key kept. */
    reinstall(host: WantedHost): void {
        this.driver.succeed("machine", "delete", { lab: this.lab, machine: host.name });
        this.install(host);
    }

    private install(host: WantedHost): void {
        this.boot(host);
        this.setUp(host);
        // What comes up with a machine is up.
        this.root(host, "systemctl is-system-running --wait || true");
    }

    boot({ name, position, release, vm }: WantedHost): void {
        const request = this.driver.machine(this.lab, this.prefix, name);
        const addresses = [`${this.address({ position })}/24`];
        const virtual = vm === undefined ? {} : { driver: "qemu", vm };
        this.driver.succeed("machine", "create", { ...request, addresses, hosts: {}, release, ...virtual });
    }

    private setUp(host: WantedHost): void {
        const { sudoPassword } = host;
        const { registryCertificate } = this.driver.network(this.lab, this.prefix);
        this.root(
            host,
            `set -e
id -u ${ADMIN} >/dev/null 2>&1 || useradd --create-home --shell /bin/bash --password '*' ${ADMIN}
${sudoPassword === undefined ? "" : `chpasswd <<<${quote(`${ADMIN}:${sudoPassword}`)}`}
echo '${ADMIN} ALL=(ALL) ${sudoPassword === undefined ? "NOPASSWD:" : ""}ALL' >/etc/sudoers.d/${ADMIN}
install -d -m 700 -o ${ADMIN} -g ${ADMIN} /home/${ADMIN}/.ssh
install -m 600 -o ${ADMIN} -g ${ADMIN} /root/.ssh/authorized_keys /home/${ADMIN}/.ssh/authorized_keys
# update-ca-certificates asks openssl about each of all, which takes an emulated machine minutes.
echo '${registryCertificate}' >>/etc/ssl/certs/ca-certificates.crt`,
        );
    }

    entry(host: WantedHost, role: HostEntry["role"]): HostEntry {
        return {
            name: host.name,
            role,
            address: this.address(host),
            user: ADMIN,
            keyFile: this.driver.path("user-key"),
            hostKey: this.driver.publicKey("host-key").split(" ").slice(0, 2).join(" "),
        };
    }

    /** What a command line as root says. @throws Error where it fails. */
    root(host: Pick<WantedHost, "position">, commandLine: string): string {
        const { code, stdout, stderr } = this.driver.ssh(this.address(host), commandLine);
        if (code !== 0) {
            throw new Error(`on ${this.address(host)}: ${commandLine}: ${stderr || stdout}`);
        }
        return stdout;
    }

    /** Takes them away, unless they are kept for inspection. */
    remove(): void {
        if (keepsForInspection()) {
            console.log(`kept after a failure: the machines of ${this.lab}, ${this.prefix}.0/24`);
            return;
        }
        this.driver.run("network", "delete", { lab: this.lab });
        this.driver.remove();
    }
}

function partsDigest(): string {
    const text = execFileSync("node", ["--require", "tsx/cjs", "scripts/parts/main.ts", "get", "--json"], {
        cwd: REPOSITORY,
        input: JSON.stringify({ source: "auto", versions: {} }),
        encoding: "utf8",
        stdio: ["pipe", "pipe", "inherit"],
    });
    return (JSON.parse(text) as { digest: string }).digest;
}
