import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { commandAsRoot, inputAsRoot } from "../../components/steps/as-root";
import { quote } from "../../components/steps/script";
import { runOverSsh, SshFailure, type SshTarget } from "../../components/steps/ssh-run";
import { UserError } from "../support/errors";
import type { Claimed, ClaimRequest, LeaveRequest, Left } from "./contract";

/** Names of nodes whose hosts are to be forgotten, with everything on them. */
export const FORGET = "KUBELAB_FORGET";

const script = (name: string): string => readFileSync(join(__dirname, name), "utf8");

/**
 * Makes the host a node of the cluster; the same again changes nothing.
 *
 * @throws UserError where it is another cluster's, or doesn't answer.
 */
export async function claim(request: ClaimRequest): Promise<Claimed> {
    const { cluster, lab, stack, pods } = request;
    const from = `${process.cwd()} on ${hostname()}`;
    const values = Object.entries({ cluster, lab, stack, pods, from, leave: script("leave.sh").trimEnd() });
    const text = [...values.map(([name, value]) => `${name}=${quote(value)}`), script("claim.sh")].join("\n");
    return { id: (await asRoot(request, text)).trim() };
}

/**
 * Restores the host. One that no longer belongs to this cluster is left alone.
 *
 * @throws UserError with the remedies, where it does not answer.
 */
export async function leave(request: LeaveRequest): Promise<Left> {
    const { name, cluster, target } = request;
    const forgotten = (process.env[FORGET] ?? "").split(",").map((each) => each.trim());
    if (forgotten.includes(name)) {
        process.stderr.write(
            `${name} (${target.host}) is forgotten. Everything on it stays; 'sudo bash /var/lib/kubelab/leave' on it removes it.\n`,
        );
        return { left: false };
    }
    const mine = `grep -qxF ${quote(`cluster=${cluster}`)} /var/lib/kubelab/claim 2>/dev/null`;
    const text = `if ! ${mine}; then echo other; exit; fi\nbash /var/lib/kubelab/leave </dev/null\n`;
    try {
        return { left: (await asRoot(request, text)).trim() !== "other" };
    } catch (error) {
        if (!(error instanceof UserError)) {
            throw error;
        }
        throw new UserError(
            `${error.message}\n` +
                `Fix that and run this again. Or forget the host, with everything on it: ${FORGET}=${name} before the same command. ` +
                `Later, 'sudo bash /var/lib/kubelab/leave' on it removes everything.`,
        );
    }
}

/** Runs a bash script as root and returns its output. @throws UserError */
async function asRoot({ name, target, sudoPassword }: LeaveRequest, text: string): Promise<string> {
    const login = { user: target.user, sudoPassword };
    try {
        const limits = { connect: 10, run: 300 };
        const { code, stdout, stderr } = await retried(() =>
            runOverSsh(target, commandAsRoot(login, "timeout 300 bash -s"), inputAsRoot(login, text), limits),
        );
        if (code !== 0) {
            throw new UserError(`${name} (${target.host}): ${stderr.trim() || `exit status ${code}`}`);
        }
        return stdout;
    } catch (error) {
        if (error instanceof SshFailure) {
            throw new UserError(`${name} (${target.host}): ${explain(error, target)}`);
        }
        throw error;
    }
}

/** Tries again where there was no connection at all: three times, within half a minute. */
async function retried<T>(attempt: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
        try {
            return await attempt();
        } catch (error) {
            if (tries === 3 || !(error instanceof SshFailure) || error.kind !== "unreachable") {
                throw error;
            }
            await new Promise((resolve) => setTimeout(resolve, 1000));
        }
    }
}

/** What a failed connection means, a clause. */
export function explain(error: SshFailure, { port, user }: Pick<SshTarget, "port" | "user">): string {
    switch (error.kind) {
        case "unreachable":
            return `no SSH server answers on port ${port} (${error.message})`;
        case "host-key":
            return `its host key is not the expected one: ${error.offered ?? error.message}`;
        case "login":
            return `the user ${user} is not accepted with this key`;
        case "lost":
            return `the connection broke off: ${error.message}`;
    }
}
