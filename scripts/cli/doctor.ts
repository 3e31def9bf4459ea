import { installPackages } from "../support/apt";
import { UserError } from "../support/errors";
import type { Progress } from "../support/progress";
import type { Check } from "./doctor/check";
import { commandsOfBench, commandsOfClient, commandsOfLab, commandsOfTests, type TestKinds } from "./doctor/commands";
import { type Host, thisHost } from "./doctor/host";
import { kernelChecks } from "./doctor/kernel";
import { type PlannedLab, plannedLab } from "./doctor/lab";
import { machinesCheck } from "./doctor/machines";
import { networkChecks } from "./doctor/network";
import { renderChecks } from "./doctor/render";
import { resourceChecks } from "./doctor/resources";
import { softwareChecks } from "./doctor/software";
import { cgroupCheck, systemChecks } from "./doctor/system";
import type { Stack } from "./stack";

/** Everything that bringing up a lab needs of a host, in the order of the table. */
export function checkHost(host: Host, lab: PlannedLab): Check[] {
    if (lab.provider !== "local") {
        return [commandsOfClient(host), ...softwareChecks(host, lab)];
    }
    const system = systemChecks(host, lab);
    if (host.platform !== "linux") {
        return system;
    }
    return [
        ...system,
        commandsOfLab(host, lab),
        ...(lab.networking === "user" ? [] : [...kernelChecks(host), cgroupCheck(host)]),
        machinesCheck(host, lab),
        ...resourceChecks(host, lab),
        ...networkChecks(host, lab),
        ...softwareChecks(host, lab),
    ];
}

/** What `scripts/lab doctor` finds on this host for a stack. @throws UserError where there is no such stack. */
export async function examine(stack: Stack, overrides: Readonly<Record<string, string>> = {}): Promise<Check[]> {
    stack.requireConfig();
    return checkHost(thisHost(), await plannedLab(stack.repository, stack.name, overrides));
}

/**
 * Makes sure that a lab can come up on this host: reports problems, and installs missing Debian packages.
 *
 * @throws UserError with everything that is missing and its remedies, before anything is installed, where packages are
 * not enough.
 */
export async function prepareForLab(
    stack: Stack,
    overrides: Readonly<Record<string, string>>,
    progress: Progress,
): Promise<void> {
    await provide(() => examine(stack, overrides), progress);
}

/** The same for the commands that the tests call. */
export async function prepareForTests(progress: Progress, kinds: TestKinds): Promise<void> {
    await provide(() => Promise.resolve([commandsOfTests(thisHost(), kinds)]), progress);
}

/** The same for what `scripts/lab bench` calls beside a lab. */
export async function prepareForBench(progress: Progress): Promise<void> {
    await provide(() => Promise.resolve([commandsOfBench(thisHost())]), progress);
}

async function provide(examineHost: () => Promise<Check[]>, progress: Progress): Promise<void> {
    const checks = await examineHost();
    const packages = packagesToInstall(checks, thisHost());
    if (packages.length > 0) {
        await installPackages(packages, progress);
        refuseMissing(await examineHost());
    } else {
        refuseMissing(checks);
    }
    const warnings = checks.filter(({ state }) => state === "warning");
    if (warnings.length > 0) {
        progress(renderChecks(warnings));
    }
}

/**
 * The Debian packages to install; none where something else is missing too, or where this process cannot install them.
 */
export function packagesToInstall(checks: readonly Check[], host: Host): readonly string[] {
    const missing = checks.filter(({ state }) => state === "missing");
    const helps = host.userId === 0 && host.find("apt-get") !== undefined;
    return helps && missing.every(({ packages }) => packages !== undefined)
        ? [...new Set(missing.flatMap(({ packages = [] }) => packages))]
        : [];
}

/** @throws UserError with everything that is missing. */
export function refuseMissing(checks: readonly Check[]): void {
    const missing = checks.filter(({ state }) => state === "missing");
    if (missing.length > 0) {
        throw new UserError(`A lab can't come up here yet:\n${renderChecks(missing)}`);
    }
}
