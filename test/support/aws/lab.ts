import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { Lab } from "../lab";
import type { Ran } from "../running";
import { keepsForInspection } from "../story";
import { Cloud } from "./cloud";
import { cloudImage } from "./image";
import { type Account, publicAddressOf } from "./model";
import { hostAddress, type Uplink } from "./router";
import type { Upstream } from "./upstream";

const REPOSITORY = join(__dirname, "../../..");

/** A cluster on the played EC2, in an account of its own. */
export class AwsLab extends Lab {
    readonly cloud: Cloud;
    /** All that `scripts/lab` has said, but for what a person asked of a machine, of the API or of the state. */
    printed = "";
    private readonly aws: Readonly<Record<string, unknown>>;

    /**
     * @param name also of the account.
     * @param aws settings beside those that the account decides.
     * @param more other settings of the stack.
     */
    constructor(
        name: string,
        { uplink, upstream }: { readonly uplink: Uplink; readonly upstream: Upstream },
        aws: Readonly<Record<string, unknown>>,
        more: Readonly<Record<string, unknown>> = {},
    ) {
        const cloud = new Cloud({ account: `ec2-${name}`, uplink });
        const own = { ...aws, allowedCidrs: [`${hostAddress(uplink)}/32`] };
        const environment = {
            KUBELAB_TEST_EC2: JSON.stringify(cloud.settings),
            KUBELAB_DOWNLOAD_MIRROR: upstream.url,
        };
        super(name, { provider: "aws", aws: own, registryMirrors: { _default: [upstream.url] }, ...more }, [
            "env",
            ...Object.entries(environment).map(([key, value]) => `${key}=${value}`),
            ...[process.execPath, "--require", "tsx/cjs", join(REPOSITORY, "test/support/aws/main.ts")],
        ]);
        this.cloud = cloud;
        this.aws = own;
    }

    override run(command: string, args: readonly string[] = [], timeoutSeconds?: number): Ran {
        const ran = super.run(command, args, timeoutSeconds);
        this.printed += ["ssh", "kubectl", "pulumi"].includes(command) ? "" : `${ran.stdout}${ran.stderr}`;
        return ran;
    }

    /** The settings of the machines with these changes. */
    settings(changes: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
        return { aws: { ...this.aws, ...changes } };
    }

    get account(): Account {
        return this.cloud.account;
    }

    /** Id of the instance that is a node now. */
    instanceOf(node: string): string {
        const wanted = `${this.stack}-${node}`;
        const [id] = Object.entries(this.account.instances).find(([, { tags }]) => tags["Name"] === wanted) ?? [];
        if (id === undefined) {
            throw new Error(`the account has no instance ${wanted}`);
        }
        return id;
    }

    /** The address by which the internet reaches a node now. */
    publicAddressOf(node: string): string {
        return publicAddressOf(this.account, this.instanceOf(node)) ?? "";
    }

    /** Ids of all that the account has, but for images that are everybody's. */
    left(): string[] {
        return Object.entries(this.account).flatMap(([table, rows]) =>
            table === "images" || table === "next" ? [] : Object.keys(rows as object),
        );
    }

    /** Starts a web server on worker-2 and a pod on worker-1, so that both have a bridge. @returns the web server's address */
    startPods(): string {
        const on = (nodeName: string): string => `--overrides=${JSON.stringify({ spec: { nodeName } })}`;
        this.kubectl("run", "web", "--image=nginx", on("worker-2"));
        this.kubectl("run", "neighbour", "--image=nginx", on("worker-1"));
        this.kubectl("wait", "--for=condition=Ready", "pod/web", "pod/neighbour", "--timeout=120s");
        return this.kubectl("get", "pod", "web", "-o", "jsonpath={.status.podIP}").trim();
    }

    /** Whether a web server in a pod answers worker-1, from an address that a pod there could have. */
    podAnswers(pod: string): boolean {
        const command = `curl -sS -o /dev/null --max-time 3 --interface 10.99.1.1 http://${pod}/`;
        return this.run("ssh", ["worker-1", "--", command], 30).code === 0;
    }

    /** Removes what an earlier run of the test has left, if it was cut off, and has the image of instances' disks at hand. */
    async prepare(): Promise<void> {
        await cloudImage((line) => console.log(line));
        await this.cloud.clear();
        rmSync(this.directory, { recursive: true, force: true });
    }

    /** Takes the cluster down, whatever state it is in, and forgets it with its account. */
    async end(): Promise<void> {
        this.remove();
        if (!keepsForInspection()) {
            await this.cloud.clear();
        }
    }
}

/** What a TCP connection from this host, from one of its addresses, comes to. */
export function reach(from: string, to: string, port: number): "open" | "closed" {
    const limits = ["--connect-timeout", "2", "--max-time", "4"];
    const command = ["-sk", ...limits, "--interface", from, "-o", "/dev/null", `https://${to}:${port}/`];
    const { status } = spawnSync("curl", command, { stdio: "ignore" });
    // 28: no answer; 7: refused. Anything else means that something answered.
    return status === 28 || status === 7 ? "closed" : "open";
}
