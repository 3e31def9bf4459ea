import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Ran } from "./running";

const REPOSITORY = join(__dirname, "../..");
/** What of the checkout the local machine driver is made of. */
const NEEDED = ["components", "scripts", "node_modules", "package.json", "tsconfig.json", "Pulumi.yaml"];

/** A user of this host for a test alone, with a copy of the checkout in their home directory. */
export class OrdinaryUser {
    readonly home: string;

    constructor(readonly name: string) {
        this.home = join("/home", name);
        spawnSync("userdel", ["--remove", name], { stdio: "ignore" });
        execFileSync("useradd", ["--create-home", "--shell", "/bin/bash", name]);
        mkdirSync(join(this.home, "kubelab"));
        for (const path of NEEDED) {
            cpSync(join(REPOSITORY, path), join(this.home, "kubelab", path), { recursive: true });
        }
        mkdirSync(join(this.home, "parts/images"), { recursive: true });
        execFileSync("chown", ["--recursive", `${name}:`, join(this.home, "parts"), join(this.home, "kubelab")]);
    }

    /** Runs a command in the copy of the checkout, with the environment of a login and nothing of this process's. */
    run(command: readonly string[], input = ""): Ran {
        const path = ["/usr/local/go/bin", "/usr/local/bin", "/usr/bin", "/bin"].join(":");
        const environment = [`HOME=${this.home}`, `USER=${this.name}`, `PATH=${path}`];
        const words = ["--user", this.name, "--", "env", "--ignore-environment", ...environment, ...command];
        const options = { cwd: join(this.home, "kubelab"), input, encoding: "utf8", timeout: 900_000 } as const;
        const { status, stdout, stderr } = spawnSync("runuser", words, options);
        return { code: status ?? 1, stdout, stderr };
    }

    /** What the local machine driver answers. @throws Error with what it said where it fails. */
    driver(subject: "network" | "machine", verb: "create" | "delete", request: object): Record<string, unknown> {
        const command = [process.execPath, "--require", "tsx/cjs", "scripts/machines/main.ts", subject, verb];
        const { code, stdout, stderr } = this.run(command, JSON.stringify(request));
        if (code !== 0) {
            throw new Error(`${subject} ${verb} ended with ${code}: ${stderr}`);
        }
        return JSON.parse(stdout) as Record<string, unknown>;
    }

    /** Command lines of the user's processes. */
    processes(): string[] {
        const { stdout } = spawnSync("ps", ["-u", this.name, "-o", "args="], { encoding: "utf8" });
        return stdout.split("\n").filter((line) => line.trim() !== "" && !line.includes("<defunct>"));
    }

    /** Removes the user with all that is theirs. */
    remove(): void {
        spawnSync("userdel", ["--remove", this.name], { stdio: "ignore" });
    }
}
