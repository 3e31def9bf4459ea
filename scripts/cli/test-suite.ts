import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UserError } from "../support/errors";
import { prepareForTests } from "./doctor";
import { run, runInTerminal } from "./run";

interface Counts {
    readonly passed: number;
    readonly failed: number;
    readonly skipped: number;
}

type Suite = (repository: string) => Promise<Counts>;

/** In the order in which they run: what is quick and finds most comes first. */
const SUITES: Readonly<Record<string, Suite>> = {
    lint: (repository) => oneCommand(repository, "npm", "run", "--silent", "lint"),
    types: (repository) => oneCommand(repository, "npm", "run", "--silent", "types"),
    shell: shellScripts,
    unit: (repository) => jest(repository, "unit"),
    e2e: endToEnd,
};

/**
 * Runs the suites named, or all of them, and ends with the line `N passed, N failed, N skipped`.
 *
 * @returns the exit code.
 */
export async function testSuite(repository: string, names: readonly string[]): Promise<number> {
    const unknown = names.filter((name) => !(name in SUITES));
    if (unknown.length > 0) {
        throw new UserError(`There is no suite ${unknown.join(", ")}: it is one of ${Object.keys(SUITES).join(", ")}.`);
    }
    await prepareForTests((line) => {
        console.error(line);
    });
    const total = { passed: 0, failed: 0, skipped: 0 };
    for (const [name, suite] of Object.entries(SUITES)) {
        if (names.length > 0 && !names.includes(name)) {
            continue;
        }
        console.log(`\n── ${name}`);
        const start = Date.now();
        const counts = await suite(repository);
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
    const code = await runInTerminal(["env", "-C", repository, ...command]);
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

/** The parts first, with progress to be seen: jest would hide a build of several minutes. */
async function endToEnd(repository: string): Promise<Counts> {
    const { ensureParts } = await import("../parts");
    await ensureParts({ source: "auto" }, (line) => {
        console.log(line);
    });
    return jest(repository, "e2e", "--runInBand");
}

async function jest(repository: string, project: string, ...args: string[]): Promise<Counts> {
    const directory = mkdtempSync(join(tmpdir(), "kubelab-test-"));
    try {
        const report = join(directory, "report.json");
        const code = await runInTerminal([
            ...[
                "env",
                "-C",
                repository,
                "npx",
                "jest",
                "--selectProjects",
                project,
                "--json",
                `--outputFile=${report}`,
            ],
            ...["--verbose", ...args],
        ]);
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
