import { writeFileSync } from "node:fs";
import ipaddr from "ipaddr.js";
import { driverOfRole } from "../../components/cluster-spec/local";
import type { ClusterSpec, LocalSpec, Role } from "../../components/cluster-spec/types";
import type { DriverName } from "../machines/choose-driver";
import { ensureImage } from "../machines/qemu/image";
import { ensureRootfs } from "../machines/rootfs";
import type { PartsDirectory } from "../parts";
import { ensureCli } from "../engine/cli";
import { UserError } from "../support/errors";
import { givenPath } from "../support/working-directory";
import { measureBringUp, type Run } from "./bench/bring-up";
import { measureGrowth } from "./bench/growth";
import { describeHost } from "./bench/host";
import { type KubeadmRun, measureKubeadm } from "./bench/kubeadm";
import { BenchLab } from "./bench/lab";
import { Interrupted } from "./bench/process";
import { renderReport, type Report } from "./bench/report";
import { measureThroughput, type Throughput } from "./bench/throughput";
import { prepareForBench, prepareForLab } from "./doctor";
import { openCluster } from "./open-cluster";
import type { Stack } from "./stack";
import { late } from "../support/late";

const SUBJECTS = ["phases", "growth", "throughput"] as const;
type Subject = (typeof SUBJECTS)[number];

/** The command's options as they were typed. */
export interface BenchFlags {
    readonly stack: string;
    readonly runs: string;
    readonly workers: string;
    readonly network: string;
    readonly against?: string;
    readonly only?: readonly string[];
    readonly json?: string;
}

export interface BenchOptions {
    readonly runs: number;
    /** undefined: all that the stack's nodes allow. */
    readonly subjects: readonly Subject[] | undefined;
    readonly kubeadm: boolean;
    /** Numbers of workers, ascending. */
    readonly workers: readonly number[];
    /** IPv4 CIDR of the machines. */
    readonly network: string;
    /** Absolute path. */
    readonly json: string | undefined;
}

/** Node-to-node and pod-to-pod tests, each. */
const THROUGHPUT_PAIRS = 5;

/** @throws UserError naming the option that is wrong. */
export function readOptions({ runs, against, only, workers, network, json }: BenchFlags): BenchOptions {
    const refuse = (option: string, value: string, right: string): never => {
        throw new UserError(`--${option} ${value}: ${right}`);
    };
    const counts = workers.split(",").map(Number);
    if (!/^[1-9]\d?$/.test(runs)) {
        refuse("runs", runs, "a number from 1 to 99");
    }
    if (against !== undefined && against !== "kubeadm") {
        refuse("against", against, "it can be kubeadm");
    }
    if (counts.some((count, index) => !Number.isInteger(count) || count < 0 || count <= (counts[index - 1] ?? -1))) {
        refuse("workers", workers, "ascending numbers of workers with commas between them, as in 1,2,4");
    }
    if (!ipaddr.IPv4.isValidCIDR(network)) {
        refuse("network", network, "an IPv4 range as in 10.231.0.0/24");
    }
    const unknown = only?.find((subject) => !SUBJECTS.some((each) => each === subject));
    if (unknown !== undefined) {
        refuse("only", unknown, `any of ${SUBJECTS.join(", ")}`);
    }
    return {
        runs: Number(runs),
        subjects: only && SUBJECTS.filter((subject) => only.includes(subject)),
        kubeadm: against === "kubeadm",
        workers: counts,
        network,
        json: json === undefined ? undefined : givenPath(json),
    };
}

/** What makes the machines of each role. */
type Drivers = Readonly<Record<Role, DriverName>>;

/**
 * What is measured of a stack with so many workers.
 *
 * @throws UserError for throughput between nodes where there are fewer than two workers, or they are virtual machines.
 */
export function subjectsFor(
    workers: number,
    drivers: Drivers,
    wanted: readonly Subject[] | undefined,
): readonly Subject[] {
    const why =
        workers < 2
            ? `it is measured between two workers; the stack has ${workers}`
            : drivers.worker === "qemu"
              ? "it is measured in the workers' network namespaces; virtual machines have none on this host"
              : undefined;
    if (why !== undefined && wanted?.includes("throughput")) {
        throw new UserError(`--only throughput: ${why}`);
    }
    const all = workers < 2 ? (["phases"] as const) : SUBJECTS;
    return wanted ?? all.filter((subject) => subject !== "throughput" || why === undefined);
}

/** Measures, prints a table, and writes the JSON file. It always takes its labs down. */
export async function bench(source: Stack, options: BenchOptions): Promise<void> {
    const interruption = new AbortController();
    const lab = new BenchLab(source, options.network, interruption.signal);
    await prepareForLab(source, {}, say);
    await prepareForBench(say);
    const drivers = driversOf(await specOf(lab));
    const subjects = subjectsFor(lab.workers, drivers, options.subjects);
    const onSignal = (): void => {
        say("interrupted: taking down what was brought up");
        interruption.abort();
    };
    process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
    try {
        const report = await measure(lab, { ...options, subjects, drivers }, interruption.signal);
        console.log(renderReport(report));
        if (options.json !== undefined) {
            writeFileSync(options.json, `${JSON.stringify(report, undefined, 2)}\n`);
        }
    } finally {
        await lab.remove();
        process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
    }
    if (interruption.signal.aborted) {
        throw new Interrupted();
    }
}

async function measure(
    lab: BenchLab,
    options: BenchOptions & { readonly subjects: readonly Subject[]; readonly drivers: Drivers },
    signal: AbortSignal,
): Promise<Report> {
    const date = new Date().toISOString();
    const { runs, subjects, drivers } = options;
    const wanted = (subject: Subject): boolean => subjects.includes(subject);
    const parts = await getParts(options.kubeadm);
    await baseOf(drivers);
    const own: Run[] = [];
    const others: KubeadmRun[] = [];
    const { version: engine } = await ensureCli(say);
    let throughput: Throughput | undefined;
    const whileUp = async (last: boolean): Promise<void> => {
        if (last && wanted("throughput")) {
            throughput = await measureThroughput(await openCluster(lab.stack), THROUGHPUT_PAIRS, signal);
        }
    };
    // What a run before has left when it was killed.
    await lab.remove();
    for (let index = 1; index <= runs && (wanted("phases") || options.kubeadm); index++) {
        const run = await measureBringUp(lab, () => whileUp(index === runs));
        own.push(run);
        say(`run ${index} of ${runs}: nodes Ready after ${run.phases["nodes Ready"].toFixed(1)} s`);
        if (options.kubeadm) {
            const other = await measureKubeadm(lab.stack.repository, await specOf(lab), parts, signal);
            others.push(other);
            say(`run ${index} of ${runs}, kubeadm: nodes Ready after ${other.total.toFixed(1)} s`);
        }
    }
    if (throughput === undefined && wanted("throughput")) {
        await lab.up();
        await whileUp(true);
        await lab.down();
    }
    const growth = wanted("growth")
        ? await measureGrowth(lab, options.network, options.workers, ({ workers, steps }) => {
              say(`${workers} ${workers === 1 ? "worker" : "workers"}: ${steps} steps`);
          })
        : undefined;
    return {
        date,
        engine,
        stack: lab.stack.name,
        host: describeHost(),
        versions: parts.manifest.versions,
        workers: lab.workers,
        drivers,
        ...(own.length > 0 ? { runs: own } : {}),
        ...(others.length > 0 ? { kubeadm: others } : {}),
        ...(growth ? { growth } : {}),
        ...(throughput ? { throughput } : {}),
    };
}

/** Shared prerequisites are in place before the clock starts. */
async function getParts(kubeadm: boolean): Promise<PartsDirectory> {
    const { ensureParts } = await late<typeof import("../parts")>(require, "../parts");
    return ensureParts({ source: "auto", extras: kubeadm ? ["kubeadm"] : [] }, say);
}

/** What the machines' disks begin as. */
async function baseOf(drivers: Drivers): Promise<void> {
    const made = Object.values(drivers);
    if (made.includes("nspawn")) {
        await ensureRootfs(say);
    }
    if (made.includes("qemu")) {
        await ensureImage(say);
    }
}

function driversOf({ local }: { readonly local: LocalSpec }): Drivers {
    return { "control-plane": driverOfRole(local, "control-plane"), worker: driverOfRole(local, "worker") };
}

/** What kubeadm is to bring up: as many nodes as the lab has, with the settings of the stack. */
async function specOf(lab: BenchLab): Promise<ClusterSpec & { readonly local: LocalSpec }> {
    const { parseClusterSpec } = await late<typeof import("../../components/cluster-spec")>(
        require,
        "../../components/cluster-spec",
    );
    const spec = parseClusterSpec({ ...lab.settings(), name: "bench-kubeadm" }, { stack: "bench-kubeadm" });
    if (spec.local === undefined) {
        throw new Error("a local lab has local settings");
    }
    return { ...spec, local: spec.local };
}

function say(line: string): void {
    console.error(line);
}
