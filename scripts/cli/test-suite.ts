import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Extra, EXTRAS } from "../parts/extras";
import { UserError } from "../support/errors";
import { prepareForTests } from "./doctor";
import { run, runInTerminal } from "./run";

interface Counts {
    readonly passed: number;
    readonly failed: number;
    readonly skipped: number;
}

/** How much runs: one story on real machines; everything that fits the time of CI; and what takes longer than that, too. */
export type Tier = "default" | "full" | "slow";

/** @param files patterns of test files; all of the tier where there are none. */
type Suite = (repository: string, files: readonly string[], tier: Tier) => Promise<Counts>;

/** In the order in which they run: what is quick and finds most comes first. */
const SUITES: Readonly<Record<string, Suite>> = {
    lint: (repository) => oneCommand(repository, "npm", "run", "--silent", "lint"),
    types: (repository) => oneCommand(repository, "npm", "run", "--silent", "types"),
    shell: shellScripts,
    unit: (repository, files) => jest(repository, "unit", files),
    e2e: endToEnd,
};

/** The end-to-end tests of the default tier: the whole life of one cluster. */
const STORY = ["kubenet"];

/** End-to-end tests of the slow tier only: measurements, and what keeps all cores busy. */
const SLOW = ["bench", "busy-host"];

/**
 * Runs the suites named, or all of them, and ends with the line `N passed, N failed, N skipped`. A name like `e2e/kubenet` is that of
 * test files, below test/.
 *
 * @returns the exit code.
 */
export async function testSuite(repository: string, names: readonly string[], tier: Tier): Promise<number> {
    const files = names.filter((name) => name.includes("/"));
    const unknown = names.filter((name) => !(name in SUITES) && !files.includes(name));
    if (unknown.length > 0) {
        throw new UserError(`There is no suite ${unknown.join(", ")}: it is one of ${Object.keys(SUITES).join(", ")}.`);
    }
    await prepareForTests((line) => {
        console.error(line);
    });
    const total = { passed: 0, failed: 0, skipped: 0 };
    for (const [name, suite] of Object.entries(SUITES)) {
        const own = files.filter((file) => (file.startsWith("e2e/") ? "e2e" : "unit") === name);
        if (names.length > 0 && !names.includes(name) && own.length === 0) {
            continue;
        }
        console.log(`\n── ${name}`);
        const start = Date.now();
        const counts = await suite(repository, names.includes(name) ? [] : own, tier);
        total.passed += counts.passed;
        total.failed += counts.failed;
        total.skipped += counts.skipped;
        console.log(`── ${name}: ${renderCounts(counts)} (${((Date.now() - start) / 1000).toFixed(0)} s)`);
    }
    console.log(`\n${renderCounts(total)}`);
    return total.failed === 0 && total.passed > 0 ? 0 : 1;
}

function renderCounts({ passed, failed, skipped }: Counts): string {
    return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

async function oneCommand(repository: string, ...command: string[]): Promise<Counts> {
    const code = await runInTerminal(command, { cwd: repository });
    return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
}

/** Every shell script that git tracks passes shellcheck. */
async function shellScripts(repository: string): Promise<Counts> {
    const { stdout } = await run(["git", "grep", "-lE", "^#!.*sh$|^# shellcheck shell="], { cwd: repository });
    const files = stdout
        .trim()
        .split("\n")
        .filter((file) => !file.endsWith(".ts") && !file.endsWith(".snap"));
    return oneCommand(repository, "shellcheck", ...files);
}

/** Engine and parts first, with progress to be seen: jest would hide builds of several minutes. */
async function endToEnd(repository: string, files: readonly string[], tier: Tier): Promise<Counts> {
    const [{ ensureParts }, { ensureCli }] = await Promise.all([import("../parts"), import("../engine/cli")]);
    const say = (line: string): void => console.log(line);
    await ensureCli(say);
    await ensureParts({ source: "auto", extras: files.length > 0 ? [] : EXTRAS_OF[tier] }, say);
    return jest(repository, "e2e", files, "--runInBand", "--forceExit", ...(files.length > 0 ? [] : selection(tier)));
}

/** Parts that some of the tier's clusters need. */
const EXTRAS_OF: Readonly<Record<Tier, readonly Extra[]>> = {
    default: [],
    full: EXTRAS.filter((extra) => extra !== "kubeadm"),
    slow: EXTRAS,
};

/** Options of jest that select the end-to-end tests of a tier. */
function selection(tier: Tier): string[] {
    switch (tier) {
        case "default":
            return [`--testPathPattern=test/e2e/(${STORY.join("|")})\\.test`];
        case "full":
            return [`--testPathIgnorePatterns=test/e2e/(${SLOW.join("|")})\\.test`];
        case "slow":
            return [];
    }
}

async function jest(repository: string, project: string, files: readonly string[], ...args: string[]): Promise<Counts> {
    const directory = mkdtempSync(join(tmpdir(), "kubelab-test-"));
    try {
        const report = join(directory, "report.json");
        const paths = files.map((file) => `test/${file}`);
        const options = [`--selectProjects=${project}`, "--json", `--outputFile=${report}`, "--verbose", ...args];
        // Without npx between, signals reach jest.
        const code = await runInTerminal([process.execPath, require.resolve("jest/bin/jest"), ...paths, ...options], {
            cwd: repository,
        });
        if (!readdirSync(directory).includes("report.json")) {
            return { passed: 0, failed: 1, skipped: 0 };
        }
        const result = JSON.parse(readFileSync(report, "utf8")) as {
            numPassedTests: number;
            numFailedTests: number;
            numPendingTests: number;
            numRuntimeErrorTestSuites: number;
        };
        const failed = result.numFailedTests + result.numRuntimeErrorTestSuites;
        return {
            passed: result.numPassedTests,
            failed: failed === 0 && code !== 0 ? 1 : failed,
            skipped: result.numPendingTests,
        };
    } finally {
        rmSync(directory, { recursive: true });
    }
}
