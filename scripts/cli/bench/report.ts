import { formatPerRole } from "../../../components/cluster-spec/per-role";
import type { Role } from "../../../components/cluster-spec/types";
import type { DriverName } from "../../machines/choose-driver";
import type { Run } from "./bring-up";
import { PHASE_NAMES } from "./bring-up";
import type { Growth } from "./growth";
import type { HostDescription } from "./host";
import type { KubeadmRun } from "./kubeadm";
import { meanOf, type Spread, spread } from "./numbers";
import type { Throughput } from "./throughput";

/** All measurements, as in the JSON file. Times are wall seconds. */
export interface Report {
    /** ISO 8601 */
    readonly date: string;
    /** Version of the Pulumi CLI. */
    readonly engine: string;
    readonly stack: string;
    readonly host: HostDescription;
    readonly versions: Readonly<Record<string, string>>;
    readonly workers: number;
    /** What made the machines of each role. */
    readonly drivers: Readonly<Record<Role, DriverName>>;
    readonly runs?: readonly Run[];
    readonly kubeadm?: readonly KubeadmRun[];
    readonly growth?: Growth;
    readonly throughput?: Throughput;
}

/** Ratio of the medians from no machines to all nodes Ready, ours to kubeadm's. */
export function ratioToKubeadm(runs: readonly Run[], kubeadm: readonly KubeadmRun[]): number {
    const ours = spread(runs.map(({ phases }) => phases["nodes Ready"])).median;
    return ours / spread(kubeadm.map(({ total }) => total)).median;
}

/** Tables for people. */
export function renderReport(report: Report): string {
    const { host, versions, drivers, runs, kubeadm, growth, throughput } = report;
    const sections = [
        [
            `${report.stack}, 1 control plane and ${report.workers} workers, by Pulumi ${report.engine}, ${report.date}`,
            `${host.processor}, ${host.cores} cores, ${host.memoryGiB} GiB; Linux ${host.kernel}, cgroup ${host.cgroup}, ${host.system}, Node.js ${host.node}`,
            `machines by the driver ${formatPerRole(drivers)}`,
            Object.entries(versions)
                .map(([part, version]) => `${part} ${version}`)
                .join(", "),
        ],
        ...(runs ? [renderRuns(runs)] : []),
        ...(runs && kubeadm ? [renderKubeadm(runs, kubeadm)] : []),
        ...(growth ? [renderGrowth(growth)] : []),
        ...(throughput ? [renderThroughput(throughput)] : []),
    ];
    return sections.map((lines) => lines.join("\n")).join("\n\n");
}

function renderRuns(runs: readonly Run[]): string[] {
    return [
        row(`seconds, ${runs.length} runs`, "minimum", "median", "maximum"),
        ...PHASE_NAMES.flatMap((name) => {
            const values = runs.flatMap(({ phases }) => phases[name] ?? []);
            return values.length === 0 ? [] : [seconds(`from none: ${name}`, values)];
        }),
        ...measures<"noop" | "oneMoreWorker" | "down">(runs, {
            noop: "up without changes",
            oneMoreWorker: "one more worker",
            down: "down",
        }),
    ];
}

function renderKubeadm(runs: readonly Run[], kubeadm: readonly KubeadmRun[]): string[] {
    return [
        row(`kubeadm, seconds, ${kubeadm.length} runs`, "minimum", "median", "maximum"),
        ...measures(kubeadm, {
            machines: "machines",
            init: "init",
            joins: "joins, nodes Ready",
            total: "from none to nodes Ready",
        }),
        `kubelab needs ${ratioToKubeadm(runs, kubeadm).toFixed(2)} of kubeadm's time from none to all nodes Ready (medians).`,
    ];
}

/** A row for each measure of the runs, by the name that it has there. */
function measures<Measure extends string>(
    runs: readonly Readonly<Record<Measure, number>>[],
    names: Readonly<Record<Measure, string>>,
): string[] {
    return (Object.keys(names) as Measure[]).map((measure) =>
        seconds(
            names[measure],
            runs.map((run) => run[measure]),
        ),
    );
}

function renderGrowth({ sizes, stepsPerWorker, bytesPerWorker }: Growth): string[] {
    const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(2);
    const means = bytesPerWorker.map(mebibytes);
    return [
        row("parts pushed over SSH", "steps", "MiB a worker", "seconds"),
        ...sizes.map(({ workers, steps, bytesPerWorker: bytes, seconds: time }) => {
            const mean = bytes.length === 0 ? "–" : mebibytes(meanOf(bytes));
            return row(`${workers} workers`, `${steps}`, mean, time.toFixed(1));
        }),
        `Each worker adds ${[...new Set(stepsPerWorker)].join(" or ")} steps and gets ${[...new Set(means)].join(" or ")} MiB.`,
    ];
}

function renderThroughput({ nodes, pods, ratio, pairs }: Throughput): string[] {
    const line = (name: string, { minimum, median, maximum }: Spread): string =>
        row(name, minimum.toFixed(2), median.toFixed(2), maximum.toFixed(2));
    return [
        row(`Gbit/s, ${pairs.length} pairs`, "minimum", "median", "maximum"),
        line("node to node", nodes),
        line("pod to pod between nodes", pods),
        line("ratio, pair by pair", ratio),
    ];
}

function seconds(name: string, values: readonly number[]): string {
    const { minimum, median, maximum } = spread(values);
    return row(name, minimum.toFixed(1), median.toFixed(1), maximum.toFixed(1));
}

function row(name: string, ...cells: readonly string[]): string {
    return `  ${name.padEnd(30)}${cells.map((cell) => cell.padStart(14)).join("")}`;
}
