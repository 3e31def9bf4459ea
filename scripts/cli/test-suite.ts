import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Extra, EXTRAS } from "../parts/extras";
import { UserError } from "../support/errors";
import { prepareForTests } from "./doctor";
import { Display } from "../support/display";
import { run, runOnDisplay } from "./run";
import { late } from "../support/late";

interface Counts {
    readonly passed: number;
    readonly failed: number;
    readonly skipped: number;
}

/** How much runs: one story on real machines; everything that fits the time of CI; and what takes longer than that, too. */
export type Tier = "default" | "full" | "slow";

interface Wanted {
    readonly repository: string;
    readonly display: Display;
    /** Patterns of test files; all of the tier where there are none. */
    readonly files: readonly string[];
    readonly tier: Tier;
}

type Suite = (wanted: Wanted) => Promise<Counts>;

/** In the order in which they run: what is quick and finds most comes first. */
const SUITES: Readonly<Record<string, Suite>> = {
    lint: (wanted) =>
        // A file's types may come from another file: the cache can't know that.
        oneCommand(wanted, "npm", "run", "--silent", wanted.tier === "default" ? "lint:changed" : "lint"),
    types: (wanted) => oneCommand(wanted, "npm", "run", "--silent", "types"),
    shell: shellScripts,
    unit: (wanted) => jest(wanted, "unit"),
    e2e: endToEnd,
};

/** The end-to-end tests of the default tier: the whole life of one cluster. */
const STORY = ["kubenet"];

/**
 * End-to-end tests of the slow tier only: measurements, emulated machines, and long variations. The full tier has to fit the time of CI on
 * a machine half as fast, with nothing cached.
 */
const SLOW = [
    ...["bench", "course", "virtual-hosts", "virtual-lab", "virtual-user"],
    ...["articles/by-component", "articles/from-scratch", "flannel"],
    ...["app-on-lab", "application", "aws", "aws-cni", "aws-network", "aws-zones", "existing-hosts"],
    ...["authorities", "backup", "conformance-whole", "expired-certificates", "interruption"],
    ...["exercises", "few-exercises", "virtual-exercises", "kubectl-skew", "losing-things"],
    ...[
        "hosts-control-planes",
        "path-networks",
        "restored-control-planes",
        "several-control-planes",
        "static-control-planes",
        "upgrade-versions",
    ],
];

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
    const display = new Display();
    try {
        display.begin("this host");
        const runs = (name: string): boolean =>
            files.length === 0 ? tier !== "default" : files.some((file) => file.includes(name));
        await prepareForTests(display.progress, { virtual: runs("virtual"), browser: runs("e2e/view") });
        const total = { passed: 0, failed: 0, skipped: 0 };
        for (const [name, suite] of Object.entries(SUITES)) {
            const own = files.filter((file) => (file.startsWith("e2e/") ? "e2e" : "unit") === name);
            if (names.length > 0 && !names.includes(name) && own.length === 0) {
                continue;
            }
            display.line(`\n── ${name}`);
            display.begin(name);
            const start = Date.now();
            const counts = await suite({ repository, display, files: names.includes(name) ? [] : own, tier });
            total.passed += counts.passed;
            total.failed += counts.failed;
            total.skipped += counts.skipped;
            const seconds = ((Date.now() - start) / 1000).toFixed(0);
            display.line(`── ${name}: ${renderCounts(counts)} (${seconds} s)`);
        }
        display.line(`\n${renderCounts(total)}`);
        return total.failed === 0 && total.passed > 0 ? 0 : 1;
    } finally {
        display.end();
    }
}

function renderCounts({ passed, failed, skipped }: Counts): string {
    return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

async function oneCommand({ repository, display }: Wanted, ...command: string[]): Promise<Counts> {
    const code = await runOnDisplay(command, display, { cwd: repository });
    return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
}

/** Every shell script that git tracks passes shellcheck. */
async function shellScripts(wanted: Wanted): Promise<Counts> {
    const { repository: cwd } = wanted;
    const { stdout } = await run(["git", "grep", "-lE", "^#!.*sh$|^# shellcheck shell="], { cwd });
    const files = stdout
        .trim()
        .split("\n")
        .filter((file) => !file.endsWith(".ts") && !file.endsWith(".snap"));
    return oneCommand(wanted, "shellcheck", ...files);
}

/** Engine and parts first, with progress to be seen: jest would hide builds of several minutes. */
async function endToEnd(wanted: Wanted): Promise<Counts> {
    const { display, files, tier } = wanted;
    const [{ ensureParts }, { ensureCli }] = await Promise.all([
        late<typeof import("../parts")>(require, "../parts"),
        late<typeof import("../engine/cli")>(require, "../engine/cli"),
    ]);
    await ensureCli(display.progress);
    await ensureParts({ source: "auto", extras: files.length > 0 ? [] : EXTRAS_OF[tier] }, display.progress);
    return jest(wanted, "e2e", "--runInBand", "--forceExit", ...(files.length > 0 ? [] : selection(tier)));
}

/** Parts that some of the tier's clusters need. */
const EXTRAS_OF: Readonly<Record<Tier, readonly Extra[]>> = {
    default: [],
    full: EXTRAS.filter((extra) => !["app", "flannel", "kubeadm"].includes(extra)),
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

async function jest({ repository, display, files }: Wanted, project: string, ...args: string[]): Promise<Counts> {
    const directory = mkdtempSync(join(tmpdir(), "kubelab-test-"));
    try {
        const report = join(directory, "report.json");
        const paths = files.map((file) => `test/${file}`);
        const reporters = ["--reporters=default", `--reporters=${join(__dirname, "jest-progress.js")}`];
        const output = ["--json", `--outputFile=${report}`, "--verbose", ...reporters];
        const options = [`--selectProjects=${project}`, ...output, ...args];
        // Without npx between, signals reach jest.
        const command = [process.execPath, require.resolve("jest/bin/jest"), ...paths, ...options];
        const code = await runOnDisplay(command, display, {
            cwd: repository,
            onMessage: (message) => {
                const { file, name } = message as { readonly file: string; readonly name: string };
                display.now([file, name].filter(Boolean).join(": "));
            },
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
