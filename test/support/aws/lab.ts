import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ensureParts, readParts } from "../../../scripts/parts";
import { Lab } from "../lab";
import { Cloud } from "./cloud";
import type { Account } from "./model";
import { hostAddress, type Uplink } from "./router";

const REPOSITORY = join(__dirname, "../../..");
const PORT = 8080;

/** A cluster on the played EC2, in an account of its own. */
export class AwsLab extends Lab {
    readonly cloud: Cloud;

    /**
     * @param name also of the account.
     * @param internet address of this host where upstream's servers and registries are.
     * @param aws settings beside those that the account decides.
     */
    constructor(
        name: string,
        readonly uplink: Uplink,
        readonly internet: string,
        private readonly aws: Readonly<Record<string, unknown>>,
        more: Readonly<Record<string, unknown>> = {},
    ) {
        const account = `ec2-${name}`;
        super(
            name,
            {
                provider: "aws",
                aws: { ...aws, allowedCidrs: [`${hostAddress(uplink)}/32`] },
                registryMirrors: { _default: [`http://${internet}:${PORT}`] },
                ...more,
            },
            [process.execPath, "--import", "tsx", join(REPOSITORY, "test/support/aws/main.ts")],
        );
        this.cloud = new Cloud({ account, uplink });
        process.env["KUBELAB_TEST_EC2"] = JSON.stringify(this.cloud.settings);
        process.env["KUBELAB_DOWNLOAD_MIRROR"] = `http://${internet}:${PORT}`;
        process.env["KUBELAB_ENGINE"] = "offline";
    }

    /** The settings of the machines with these changes. */
    settings(changes: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
        return { aws: { ...this.aws, allowedCidrs: [`${hostAddress(this.uplink)}/32`], ...changes } };
    }

    get account(): Account {
        return this.cloud.account;
    }

    state(): string {
        return readFileSync(join(this.directory, "state.json"), "utf8");
    }
}

/** Upstream's servers and registries, of this host's parts. @returns what ends them */
export async function startInternet(address: string): Promise<() => Promise<void>> {
    const { digest } = await ensureParts({ source: "auto" }, () => undefined);
    if (readParts(digest) === undefined) {
        throw new Error(`the parts ${digest} are damaged`);
    }
    const command = ["--import", "tsx", join(__dirname, "internet.ts"), address, String(PORT), digest];
    const child = spawn(process.execPath, command, { cwd: REPOSITORY, stdio: ["ignore", "pipe", "ignore"] });
    await ready(child);
    return () =>
        new Promise((resolve) => {
            child.once("exit", () => resolve());
            child.kill("SIGTERM");
        });
}

function ready(child: ChildProcess): Promise<void> {
    return new Promise((resolve, reject) => {
        child.once("exit", (code) => reject(new Error(`the tests' internet ended with ${code}`)));
        child.stdout?.on("data", (chunk: Buffer) => {
            if (chunk.toString().includes("ready")) {
                resolve();
            }
        });
    });
}
