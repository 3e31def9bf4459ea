import type { ClusterAccess } from "../../cli/cluster-access";
import type { StackOutputs } from "../../cli/stack";
import { AS_ROOT } from "../../machines/names";
import { buildModel } from "../build-model";
import { changesSince, type Known } from "../changes";
import type { Change, Model } from "../model";
import { nodeFacts, podFacts, serviceFacts, sliceFacts } from "./api-objects";
import { type ApiProxy, apiProblem, LISTS, startApiProxy } from "./api-proxy";
import { ApiWatch } from "./api-watch";
import { type HostReport, readHost } from "./host-watch";
import { MachineWatch } from "./machine-watch";

/** Milliseconds that changes are collected for before they are told. */
const COLLECT = 100;
/** Seconds between two looks at the API server's health and at the bridge. */
const LOOK = 2;
/** Seconds that the API server has for an answer: a busy host is slow. */
const API_PATIENCE = 6;
/** Changes that are kept. */
const KEPT = 500;

export interface Moment {
    readonly model: Model;
    /** All that are kept, oldest first. */
    readonly changes: readonly Change[];
}

/** A running lab, watched: what it is now, what changed, and whom to tell. */
export class LiveLab {
    private readonly machines = new Map<string, MachineWatch>();
    private readonly lists;
    private readonly timer: NodeJS.Timeout;
    private readonly listeners = new Set<(moment: Moment) => void>();
    private outputs: StackOutputs;
    private apiProblem: string | undefined;
    private host: HostReport | undefined;
    private known: Known | undefined;
    private changes: readonly Change[] = [];
    private collecting: NodeJS.Timeout | undefined;

    private constructor(
        private readonly cluster: ClusterAccess,
        private readonly proxy: ApiProxy,
    ) {
        const onChange = (): void => this.collect();
        const { socketPath } = proxy;
        this.lists = {
            nodes: new ApiWatch(socketPath, LISTS.nodes, nodeFacts, onChange),
            pods: new ApiWatch(socketPath, LISTS.pods, podFacts, onChange),
            services: new ApiWatch(socketPath, LISTS.services, serviceFacts, onChange),
            slices: new ApiWatch(socketPath, LISTS.slices, sliceFacts, onChange),
        };
        this.outputs = cluster.stack.outputs();
        this.watchMachines();
        this.timer = setInterval(() => void this.look(), LOOK * 1000);
        void this.look();
    }

    /** Begins to watch. @throws UserError where kubectl does not start. */
    static async start(cluster: ClusterAccess): Promise<LiveLab> {
        return new LiveLab(cluster, await startApiProxy(cluster));
    }

    /** Ends all that it has started. */
    stop(): void {
        clearInterval(this.timer);
        clearTimeout(this.collecting);
        this.machines.forEach((machine) => machine.stop());
        Object.values(this.lists).forEach((list) => list.stop());
        this.proxy.stop();
    }

    get moment(): Moment {
        return { model: this.model(), changes: this.changes };
    }

    /** @returns what ends the listening. */
    listen(listener: (moment: Moment) => void): () => void {
        this.listeners.add(listener);
        return () => void this.listeners.delete(listener);
    }

    /** Waits until every machine and the API have answered once, or do not answer. @param seconds at most. */
    async settled(seconds: number): Promise<Moment> {
        const deadline = Date.now() + seconds * 1000;
        while (!this.isSettled() && Date.now() < deadline) {
            await new Promise((resolve) => setTimeout(resolve, 50));
        }
        return this.moment;
    }

    private isSettled(): boolean {
        const machines = [...this.machines.values()].map(({ current }) => current);
        return (
            machines.every(({ report, problem }) => report !== undefined || problem !== undefined) &&
            Object.values(this.lists).every(({ current }) => current.begun || current.problem !== undefined)
        );
    }

    /** Machines come and go by `up`. */
    private watchMachines(): void {
        const names = this.outputs.nodes.map(({ name }) => name);
        for (const node of this.outputs.nodes.filter(({ name }) => !this.machines.has(name))) {
            this.machines.set(node.name, new MachineWatch(this.cluster, node, () => this.collect()));
        }
        for (const [name, machine] of [...this.machines].filter(([each]) => !names.includes(each))) {
            machine.stop();
            this.machines.delete(name);
        }
    }

    private async look(): Promise<void> {
        const before = JSON.stringify([this.apiProblem, this.host, this.outputs]);
        if (this.cluster.stack.isUp()) {
            this.outputs = this.cluster.stack.outputs();
            this.watchMachines();
        }
        const { lab, nodes } = this.outputs;
        if (lab?.provider === "local" && AS_ROOT) {
            this.host = readHost(
                lab.name,
                nodes.map(({ name }) => name),
            );
        }
        this.apiProblem = await apiProblem(this.proxy.socketPath, API_PATIENCE);
        if (JSON.stringify([this.apiProblem, this.host, this.outputs]) !== before) {
            this.collect();
        }
    }

    private collect(): void {
        this.collecting ??= setTimeout(() => {
            this.collecting = undefined;
            this.tell();
        }, COLLECT);
    }

    private tell(): void {
        const model = this.model();
        if (this.isSettled()) {
            const { changes, known } = changesSince(this.known, model, new Date().toISOString());
            this.known = known;
            this.changes = [...this.changes, ...changes].slice(-KEPT);
        }
        this.listeners.forEach((listener) => listener({ model, changes: this.changes }));
    }

    private model(): Model {
        const { nodes, pods, services, slices } = this.lists;
        const all = [nodes, pods, services, slices].map(({ current }) => current);
        const problem = this.apiProblem ?? all.find((each) => each.problem !== undefined)?.problem;
        return buildModel({
            stack: this.cluster.stack.name,
            outputs: this.outputs,
            machines: Object.fromEntries([...this.machines].map(([name, { current }]) => [name, current])),
            api: {
                begun: all.every(({ begun }) => begun),
                ...(problem === undefined ? {} : { problem }),
                nodes: nodes.current.items,
                pods: pods.current.items,
                services: services.current.items,
                slices: slices.current.items,
            },
            ...(this.host === undefined ? {} : { host: this.host }),
        });
    }
}
