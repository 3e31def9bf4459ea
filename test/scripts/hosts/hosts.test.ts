import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ClaimRequest } from "../../../scripts/hosts/contract";
import { claim, leave } from "../../../scripts/hosts/hosts";
import { temporaryDirectory } from "../../support/bash";
import { SshMachine } from "../../support/ssh-machine";

jest.setTimeout(60_000);

/** What sudo and the host are played by: a shell whose commands are these, and that keeps what it was given. */
const directory = temporaryDirectory();
const path = (name: string): string => join(directory.path, name);
let machine: SshMachine;
let request: ClaimRequest;
const { PATH } = process.env;

function plays(name: string, script: string): void {
    mkdirSync(path("bin"), { recursive: true });
    writeFileSync(path(`bin/${name}`), `#!/bin/bash\n${script}\n`);
    chmodSync(path(`bin/${name}`), 0o755);
}

beforeEach(async () => {
    machine = new SshMachine();
    await machine.start();
    const { port } = machine;
    const target = { host: "127.0.0.1", port, user: "admin", privateKey: machine.client.private };
    request = {
        name: "worker-1",
        target: { ...target, hostKey: machine.hostKeys.ed25519.public },
        cluster: "0f0f",
        lab: "it's a lab",
        stack: "organization/kubelab/test",
        pods: "10.99.0.0/16",
    };
    process.env["PATH"] = `${path("bin")}:${PATH}`;
    plays("sudo", 'shift; exec "$@"');
    plays("timeout", `cat >${path("input")}; echo 0123; exit "$(cat ${path("status")})"`);
    writeFileSync(path("status"), "0");
});
afterEach(() => {
    machine.stop();
    process.env["PATH"] = PATH;
    delete process.env["KUBELAB_FORGET"];
});
afterAll(directory.remove);

describe("a host", () => {
    it("is claimed as root, with the way back in what is sent to it", async () => {
        expect(await claim(request)).toEqual({ id: "0123" });
        const input = readFileSync(path("input"), "utf8");
        expect(input).toMatch(
            /^cluster=0f0f\nlab='it'\\''s a lab'\nstack=organization\/kubelab\/test\npods=10.99.0.0\/16\nfrom='\/.* on .*'\nleave='#!\/bin\/bash\n/,
        );
    });

    it("gets the password for sudo before all else, and on no command line", async () => {
        plays(
            "sudo",
            `echo "$*" >${path("words")}; IFS= read -r password; printf '%s' "$password" >${path("password")}; shift 3; exec "$@"`,
        );
        await claim({ ...request, sudoPassword: "correct horse" });
        expect(readFileSync(path("password"), "utf8")).toBe("correct horse");
        expect(readFileSync(path("words"), "utf8")).not.toContain("horse");
        expect(readFileSync(path("input"), "utf8")).toMatch(/^cluster=0f0f\n/);
    });

    it("that refuses is told of in its own words", async () => {
        plays("timeout", "cat >/dev/null; echo 'this host is a node of another cluster' >&2; exit 1");
        await expect(claim(request)).rejects.toThrow("worker-1 (127.0.0.1): this host is a node of another cluster");
    });

    it("is left by its own script, where it is still this cluster's", async () => {
        expect(await leave(request)).toEqual({ left: true });
        expect(readFileSync(path("input"), "utf8")).toContain("grep -qxF cluster=0f0f /var/lib/kubelab/claim");
        plays("timeout", "cat >/dev/null; echo other");
        expect(await leave(request)).toEqual({ left: false });
    });

    it("that doesn't answer fails within seconds, with the choice there is; it is forgotten only when that is said", async () => {
        machine.stop();
        const started = Date.now();
        await expect(leave(request)).rejects.toThrow(
            /no SSH server answers on port \d+[^]*KUBELAB_FORGET=worker-1 before/,
        );
        expect(Date.now() - started).toBeLessThan(20_000);
        process.env["KUBELAB_FORGET"] = "worker-2, worker-1";
        expect(await leave(request)).toEqual({ left: false });
        process.env["KUBELAB_FORGET"] = "worker-11";
        await expect(leave(request)).rejects.toThrow("no SSH server answers");
    });
});
