import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { RunError } from "@pulumi/pulumi/errors";
import { commandAsRoot, inputAsRoot } from "../../steps/as-root";
import { readPrivateKey } from "../../steps/own-key";
import { runOverSsh, SshFailure, type SshTarget } from "../../steps/ssh-run";
import { SUDO_PASSWORD } from "../../cluster-spec/environment";
import type { ClusterSpec, HostSpec } from "../../cluster-spec/types";
import { addressToProbe, checkProbe } from "./endpoint-address";
import { attemptsFrom, checkReach, reachScript } from "./reach";
import { type HostReport, parseReport } from "./report";
import { checkHost, type Finding, type InspectedHost, type KnownHost } from "./rules";
import { checkBetween } from "./rules-between";

const INSPECT = readFileSync(join(__dirname, "inspect.sh"), "utf8");
const LIMITS = { connect: 10, run: 45 };

/** The hosts cannot be nodes as they are: all reasons together. Pulumi prints it without a stack trace. */
export class HostsNotReady extends RunError {
    constructor(
        stack: string,
        readonly findings: readonly Finding[],
    ) {
        const count = findings.length === 1 ? "one problem" : `${findings.length} problems`;
        super(
            [`The hosts of ${stack} aren't ready (${count}); nothing was changed on them:`, ...findings.map(line)].join(
                "\n  ",
            ),
        );
        this.name = "HostsNotReady";
    }
}

function line({ host, problem, remedy }: Finding): string {
    return `${host}: ${problem}; ${remedy}`;
}

/**
 * Checks all hosts of the spec in parallel, at preview too, and changes nothing on them. None where machines come from
 * elsewhere.
 *
 * @param known what the hosts were at the end of the last run, by node name.
 * @throws HostsNotReady with all problems of the hosts and between them.
 */
export async function inspectHosts(
    spec: ClusterSpec,
    known: Readonly<Record<string, KnownHost>>,
): Promise<readonly InspectedHost[]> {
    const stack = stackName();
    const { inspected, findings } = await lookAt(spec, stack, known);
    // Before the run may end: one may be the reason of a problem.
    await Promise.all(findings.filter(({ warning }) => warning).map((finding) => pulumi.log.warn(line(finding))));
    const problems = findings.filter(({ warning }) => !warning);
    if (problems.length > 0) {
        throw new HostsNotReady(stack, problems);
    }
    return inspected;
}

/** `organization/project/stack`, as the mark on a host names the stack. */
export function stackName(): string {
    return [pulumi.getOrganization(), pulumi.getProject(), pulumi.getStack()].join("/");
}

async function lookAt(
    spec: ClusterSpec,
    stack: string,
    known: Readonly<Record<string, KnownHost>>,
): Promise<{ readonly inspected: readonly InspectedHost[]; readonly findings: readonly Finding[] }> {
    const answers = await Promise.all((spec.hosts ?? []).map((host) => inspect(host, spec.sudoPassword)));
    const inspected = answers.flatMap((answer) => ("report" in answer ? [answer] : []));
    const findings = answers.flatMap((answer) =>
        "report" in answer
            ? checkHost(answer, spec, { stack, known: known[answer.host.name] })
            : [{ host: answer.host.name, problem: answer.problem, remedy: answer.remedy }],
    );
    const between = checkBetween(inspected, spec);
    const reached = await Promise.all([
        ...inspected.map((from) => reach(from, inspected, spec)),
        ...inspected.filter(({ host }) => kubectlCalls(host, spec)).map((first) => reachFromHere(first, spec)),
    ]);
    return { inspected, findings: [...findings, ...between, ...reached.flat()] };
}

type Failed = { readonly host: HostSpec } & Pick<Finding, "problem" | "remedy">;

async function inspect(host: HostSpec, sudoPassword: string | undefined): Promise<InspectedHost | Failed> {
    const login = { user: host.user, sudoPassword };
    try {
        const asked = Date.now();
        const { code, stdout, stderr } = await runOverSsh(
            targetOf(host),
            commandAsRoot(login, "timeout 40 bash -s"),
            inputAsRoot(login, INSPECT),
            LIMITS,
        );
        if (code !== 0) {
            return { host, ...refusedBySudo(host, stderr, sudoPassword !== undefined) };
        }
        return { host, report: withOffset(parseReport(stdout), asked, Date.now()) };
    } catch (error) {
        return { host, ...explainFailure(host, error as Error) };
    }
}

/** The report with its clock as an offset from this machine's; the round trip is subtracted. */
function withOffset(report: HostReport, asked: number, answered: number): HostReport {
    const [early, late] = [report.clock - answered / 1000, report.clock - asked / 1000];
    const clock = early > 0 ? early : late < 0 ? late : 0;
    return { ...report, clock };
}

/** @throws Error where the key file can't be used. */
export function targetOf({ address, port, user, keyFile, hostKey }: HostSpec): SshTarget {
    return { host: address, port, user, hostKey, privateKey: readPrivateKey(keyFile).privateKey };
}

function refusedBySudo(host: HostSpec, said: string, withPassword: boolean): Pick<Finding, "problem" | "remedy"> {
    const last = said.trim().split("\n").at(-1) ?? "";
    const problem = `doesn't let ${host.user} become root with sudo: ${last}`;
    if (/password is required|incorrect password|try again|no password was provided/i.test(said)) {
        const rule = `${host.user} ALL=(ALL) NOPASSWD:ALL`;
        return {
            problem,
            remedy: withPassword
                ? "kubelab:sudoPassword isn't that user's password"
                : `give the password ('read -rs ${SUDO_PASSWORD} && export ${SUDO_PASSWORD}', or the secret kubelab:sudoPassword), or let it without one: '${rule}' in /etc/sudoers.d/kubelab`,
        };
    }
    return { problem, remedy: `install sudo on it, and let ${host.user} use it for everything; or log in as root` };
}

function explainFailure(host: HostSpec, error: Error): Pick<Finding, "problem" | "remedy"> {
    const at = `${host.address}:${host.port}`;
    if (!(error instanceof SshFailure)) {
        return { problem: error.message, remedy: `see kubelab:hosts, ${host.name}` };
    }
    switch (error.kind) {
        case "unreachable":
            return {
                problem: `no SSH server answers at ${at} (${error.message})`,
                remedy: "start it, correct its address or port, or take it out of kubelab:hosts",
            };
        case "host-key":
            return {
                problem: `has another host key than kubelab:hosts says${error.offered === undefined ? `: ${error.message}` : `: ${error.offered}`}`,
                remedy: "if it was reinstalled, and you have seen that key on its console, write it into kubelab:hosts; else an attacker may be between you and it",
            };
        case "login":
            return {
                problem: `doesn't let ${host.user} in with the key ${host.keyFile}`,
                remedy: `add its public half to ~${host.user}/.ssh/authorized_keys on the host, and see that the account is not locked`,
            };
        case "lost":
            return { problem: `broke off during the preflight: ${error.message}`, remedy: "try again" };
    }
}

async function reach(from: InspectedHost, hosts: readonly InspectedHost[], spec: ClusterSpec): Promise<Finding[]> {
    const attempts = attemptsFrom(from, hosts, spec);
    const address = addressToProbe(from, hosts, spec);
    if (attempts.length === 0 && address === undefined) {
        return [];
    }
    try {
        const probe = address === undefined ? undefined : { address, port: spec.api.port };
        const { stdout } = await runOverSsh(targetOf(from.host), "bash -s", reachScript(attempts, probe), LIMITS);
        return [...checkReach(from, attempts, stdout, spec), ...checkProbe(from, address, stdout.split("\n"))];
    } catch (error) {
        return [{ host: from.host.name, ...explainFailure(from.host, error as Error) }];
    }
}

/** Whether kubeconfigs lead to the host itself: not where the user's load balancer is before it. */
function kubectlCalls({ name, role }: HostSpec, { api, controlPlanes }: ClusterSpec): boolean {
    if (api.loadBalancer !== undefined) {
        return false;
    }
    return api.moves ? role === "control-plane" : name === controlPlanes[0]?.name;
}

/** The API server's port from this machine: refused is as good as open, since both come from the host itself. */
function reachFromHere({ host, report }: InspectedHost, spec: ClusterSpec): Promise<Finding[]> {
    return new Promise((resolve) => {
        const socket = connect({ host: host.address, port: spec.api.port, timeout: 3000 });
        const settle = (why?: string): void => {
            socket.destroy();
            const problem = `can't be reached on TCP ${spec.api.port} from here, which kubectl needs: ${why ?? ""}`;
            const [firewall] = report.firewalls;
            const remedy = `open the port to this machine${firewall === undefined ? "" : ` in its ${firewall}`}`;
            resolve(why === undefined ? [] : [{ host: host.name, problem, remedy }]);
        };
        socket.once("connect", () => settle());
        socket.once("timeout", () => settle("no answer within three seconds"));
        socket.once("error", (error: NodeJS.ErrnoException) =>
            settle(error.code === "ECONNREFUSED" ? undefined : error.message),
        );
    });
}
