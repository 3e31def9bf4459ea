import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ClusterAccess } from "../../cli/cluster-access";
import type { StackNode } from "../../cli/stack";
import { UNITS } from "../../cli/status";
import { type LineProcess, startLineProcess } from "./line-process";
import { type MachineReport, ReportReader } from "./machine-report";

/** Seconds of silence after which a machine does not answer: it prints a line each second. */
const SILENCE = 8;
/** Seconds until the next attempt to connect. */
const PAUSE = 2;

/** How a machine is now: its last report, and why it does not answer, if it does not. */
export interface WatchedMachine {
    readonly report?: MachineReport;
    /** Undefined while it answers, and before its first answer. */
    readonly problem?: string;
}

/** Watches a machine over one SSH connection, which is made again when it breaks. */
export class MachineWatch {
    current: WatchedMachine = {};
    private process: LineProcess | undefined;
    private heard = 0;
    private stopped = false;
    private readonly timer: NodeJS.Timeout;

    constructor(
        private readonly cluster: ClusterAccess,
        private readonly node: StackNode,
        private readonly onChange: () => void,
    ) {
        this.timer = setInterval(() => this.checkSilence(), 1000);
        void this.keepConnected();
    }

    stop(): void {
        this.stopped = true;
        clearInterval(this.timer);
        this.process?.stop();
    }

    private async keepConnected(): Promise<void> {
        const script = readFileSync(join(__dirname, "machine-watch.sh"), "utf8");
        while (!this.stopped) {
            const { command, input } = this.cluster.scriptAsRoot(this.node, script, UNITS);
            this.heard = Date.now();
            this.process = startLineProcess(command, {
                cwd: this.cluster.stack.repository,
                input,
                onLine: this.reader(),
            });
            const problem = await this.process.ended;
            if (!this.stopped) {
                this.set({ ...this.current, problem: this.current.problem ?? problem });
                await new Promise((resolve) => setTimeout(resolve, PAUSE * 1000));
            }
        }
    }

    private reader(): (line: string) => void {
        const reader = new ReportReader();
        return (line) => {
            this.heard = Date.now();
            const report = reader.take(line);
            if (report !== undefined && (report !== this.current.report || this.current.problem !== undefined)) {
                this.set({ report });
            }
        };
    }

    private checkSilence(): void {
        if (this.current.problem === undefined && Date.now() - this.heard > SILENCE * 1000) {
            this.set({ ...this.current, problem: `no answer for ${SILENCE} s` });
        }
    }

    private set(current: WatchedMachine): void {
        this.current = current;
        this.onChange();
    }
}
