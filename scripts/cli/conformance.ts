import { createWriteStream, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { partsRequest } from "../../components/steps/parts/request";
import { ensureParts, type PartsDirectory } from "../parts";
import { Display } from "../support/display";
import { UserError } from "../support/errors";
import { givenPath } from "../support/working-directory";
import type { ClusterAccess } from "./cluster-access";
import { giveImages } from "./conformance/images";
import { SuiteProgress } from "./conformance/progress";
import { readResults, renderSummary, summarize } from "./conformance/results";
import { openCluster } from "./open-cluster";
import { runLineByLine } from "./run";
import { requireSpec } from "./spec-of-stack";
import type { Stack } from "./stack";

export interface ConformanceOptions {
    /** Regular expressions over the full names of specs. */
    readonly focus?: string;
    readonly skip?: string;
    /** `network`, `node` … */
    readonly sig?: string;
    /** Specs that run at the same time. */
    readonly nodes: string;
    /** Directory of the report. */
    readonly report?: string;
}

/** Longest for all of it: ginkgo's own limit is an hour. */
const TIMEOUT = "8h";

/**
 * Runs Kubernetes' conformance specs against a running cluster, with the suite of its own version.
 * https://github.com/cncf/k8s-conformance
 *
 * @returns the exit code: 0 where some passed and none failed.
 */
export async function conformance(stack: Stack, options: ConformanceOptions): Promise<number> {
    const processes = Number(options.nodes);
    if (!Number.isInteger(processes) || processes < 1 || processes > 64) {
        throw new UserError(`--nodes ${options.nodes}: give a whole number between 1 and 64.`);
    }
    const cluster = await openCluster(stack);
    const spec = requireSpec(stack);
    const directory = options.report === undefined ? join(stack.directory, "conformance") : givenPath(options.report);
    const display = new Display();
    try {
        display.begin("parts");
        const request = partsRequest(spec);
        const extras = [...(request.extras ?? []), "conformance" as const];
        const parts = await ensureParts({ ...request, extras }, display.progress);
        display.begin("images");
        await giveImages(cluster, parts, (line) => display.now(line));
        mkdirSync(directory, { recursive: true });
        display.begin("conformance");
        const code = await runSuite(cluster, parts, directory, { ...options, processes }, display);
        const file = join(directory, "report.json");
        const results = readResults(readFileSync(file, "utf8"));
        rmSync(file);
        const summary = summarize(results);
        const { kubernetes } = spec.versions;
        const write = (name: string, content: object): void =>
            writeFileSync(join(directory, name), `${JSON.stringify(content, undefined, 4)}\n`);
        write("results.json", results);
        write("summary.json", { kubernetes, date: new Date().toISOString().slice(0, 10), ...summary });
        writeFileSync(join(directory, "README.md"), howToRepeat(stack, kubernetes));
        display.line(`\n${renderSummary(summary)}\n\nreport: ${directory}`);
        return code === 0 && results.some(({ result }) => result === "passed") ? 0 : 1;
    } finally {
        display.end();
    }
}

async function runSuite(
    cluster: ClusterAccess,
    parts: PartsDirectory,
    directory: string,
    options: ConformanceOptions & { readonly processes: number },
    display: Display,
): Promise<number> {
    const { kubeconfig } = cluster.stack;
    const bin = (name: string): string => join(parts.path, "bin", name);
    const labels = ["Conformance", ...(options.sig === undefined ? [] : [`sig-${options.sig}`])];
    const command = [
        bin("ginkgo"),
        ...["-v", "--no-color", "--silence-skips", `--timeout=${TIMEOUT}`, `--procs=${options.processes}`],
        ...[`--label-filter=${labels.join(" && ")}`, `--output-dir=${directory}`],
        "--json-report=report.json",
        ...(options.focus === undefined ? [] : [`--focus=${options.focus}`]),
        ...(options.skip === undefined ? [] : [`--skip=${options.skip}`]),
        bin("e2e.test"),
        "--",
        ...[`--kubeconfig=${kubeconfig}`, `--kubectl-path=${bin("kubectl")}`, "--provider=skeleton"],
        ...["--dump-logs-on-failure=false", `--report-dir=${directory}`, `--e2e-output-dir=${directory}`],
    ];
    const progress = new SuiteProgress();
    const log = createWriteStream(join(directory, "e2e.log.part"));
    display.now(progress.text());
    const code = await runLineByLine(command, (line) => {
        log.write(`${line}\n`);
        const failed = progress.take(line);
        if (failed !== undefined) {
            display.line(`failed: ${failed}`);
        }
        display.now(progress.text());
    });
    log.end();
    await finished(log);
    renameSync(join(directory, "e2e.log.part"), join(directory, "e2e.log"));
    // Of specs that were cut short.
    await cluster.tryKubectl(["delete", "namespaces", "-l", "e2e-run", "--wait=false"]);
    return code;
}

/** As https://github.com/cncf/k8s-conformance/blob/master/instructions.md asks for it. */
function howToRepeat(stack: Stack, version: string): string {
    return `# Conformance of kubelab, Kubernetes v${version}

In a clone of kubelab:

    ${stack.command("up")}
    ${stack.command("conformance")}
`;
}
