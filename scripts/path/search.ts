import { randomInt } from "node:crypto";
import type { ClusterAccess } from "../cli/cluster-access";
import { labNames } from "../machines/names";
import { isUserNetwork, readNetwork } from "../machines/records";
import { podNamespace } from "../inspect/network";
import { UserError } from "../support/errors";
import { reachHere, reachNode, type Reached, readMachine } from "./machines";
import { type Answer, parseAnswer, type Probe, probeScript, sendFromHere } from "./probe";
import type { Origin } from "./target";
import { type PacketHead, WATCH_TABLE } from "./trace";
import type { Endpoint, Hop, Loss, Path } from "./types";
import { arrivalHops, homeHops, walk, type Walked } from "./walk";
import { watch } from "./watch";
import { machineNamed, type World } from "./world";

/** Source ports of probes: above those that Linux gives to clients by itself, and below those that nobody may use. */
const SOURCE_PORTS = [61_000, 65_000] as const;
/** Values of the DSCP field that no standard uses: https://www.iana.org/assignments/dscp-registry. */
const UNUSED_DSCP = [3, 7, 11, 15, 19, 23, 27, 31, 35, 39, 43, 47, 51, 55, 59] as const;

/** What a probe has shown. */
export interface Found extends Pick<Path, "probe" | "whole" | "hops" | "notes"> {
    readonly answer: Answer;
}

/** Probes from one origin. */
export class Search {
    private readonly reached: readonly Reached[];
    private readonly hostBridge: string | undefined;
    private namespace: string | undefined;
    private readonly lab: string | undefined;

    constructor(
        private readonly cluster: ClusterAccess,
        private readonly objects: World["objects"],
        readonly origin: Origin,
        private readonly progress: (text: string) => void,
    ) {
        const { nodes, lab } = cluster.stack.outputs();
        this.lab = lab?.provider === "local" ? lab.name : undefined;
        const network = this.lab === undefined ? undefined : readNetwork(this.lab);
        const bridged = this.lab !== undefined && network !== undefined && !isUserNetwork(network);
        this.hostBridge = bridged && this.lab !== undefined ? labNames(this.lab).bridge : undefined;
        const here = bridged || origin.kind === "here" ? [reachHere(network?.gateway ?? "")] : [];
        this.reached = [...nodes.map((node) => reachNode(cluster, node)), ...here];
    }

    /**
     * Makes a connection, or sends a datagram, and follows it.
     *
     * @param payload of the datagram.
     */
    async connect(target: Endpoint, protocol: "TCP" | "UDP", payload?: Buffer): Promise<Found> {
        const notes: string[] = [];
        const sourcePort = randomInt(...SOURCE_PORTS);
        const dscp = UNUSED_DSCP[randomInt(UNUSED_DSCP.length)] ?? 43;
        const probe = {
            protocol,
            sourcePort,
            destination: target,
            dscp,
            ...(payload === undefined ? {} : { payload }),
        };
        const { answer, world } = await this.probe(probe, notes);
        const begin = machineNamed(world, this.beginsOn());
        if (begin === undefined) {
            throw new Error(`${this.beginsOn()} is no machine of the stack`);
        }
        const whole = answer.outcome === "connected" || answer.outcome === "answered";
        const source = { address: this.sourceAddress(world, target), port: sourcePort };
        const packet: PacketHead = { source, destination: target, protocol, dscp, id: 0, flags: 2 };
        this.progress("the way there");
        const there = await walk(
            world,
            "request",
            { machine: begin, packet, isPod: this.origin.kind === "pod" },
            whole,
        );
        const gone = !whole && there.end === "outside" ? withLoss(there.hops, lostOutside(target, answer)) : there.hops;
        const hops = [...gone, ...(await this.rest(world, there, answer, whole))];
        return {
            probe: { outcome: answer.outcome, milliseconds: answer.milliseconds, source, destination: target },
            ...{ whole, hops, notes, answer },
        };
    }

    /** What comes after the request's way: its arrival, and the answer's way. */
    private async rest(world: World, there: Walked, answer: Answer, whole: boolean): Promise<Hop[]> {
        if (there.end === "lost") {
            return [];
        }
        const own = there.machine.crossings?.reply ?? [];
        const replied = own.at(0);
        const unanswered = whole ? undefined : lossAtEnd(there, answer, replied?.entry?.packet);
        const arrival = arrivalHops(
            world,
            there,
            replied === undefined ? unanswered : resetLoss(there, replied.entry?.packet),
        );
        const end = arrival.at(-1)?.lost;
        if (!whole && (replied === undefined || there.end === "outside")) {
            return arrival;
        }
        this.progress("the way back");
        const packet: PacketHead = {
            ...(replied?.entry?.packet ?? there.packet),
            source: replied?.entry?.packet.source ?? there.packet.destination,
            destination: replied?.entry?.packet.destination ?? there.packet.source,
        };
        // A refusal is an answer too, and comes back the same way.
        const returns = whole || end !== undefined;
        const start = { machine: there.machine, packet, isPod: there.end === "pod" };
        const back = await walk(world, "reply", start, returns, there);
        const home = back.end === "lost" ? [] : homeHops(world, back);
        return [...arrival, ...back.hops, ...home];
    }

    /** Sends it while all machines are watched, and reads them. */
    private async probe(probe: Probe, notes: string[]): Promise<{ readonly answer: Answer; readonly world: World }> {
        const { dscp } = probe;
        const table = `${WATCH_TABLE}-${process.pid}-${probe.sourcePort}`;
        this.progress("kernels begin to trace");
        const watches = await Promise.all(
            this.reached.map(async (reached) => {
                const mark =
                    reached.name === "here" && this.origin.kind === "here"
                        ? `ip daddr ${probe.destination.address} ${probe.protocol.toLowerCase()} sport ${probe.sourcePort}`
                        : undefined;
                const watched = { table, dscp, ...(mark === undefined ? {} : { mark }) };
                const begun = await watch(reached.session, watched).catch((error: unknown) =>
                    unwatched(reached, error, notes),
                );
                return { reached, begun };
            }),
        );
        try {
            this.progress(`${probe.protocol} to ${probe.destination.address}:${probe.destination.port}`);
            const answer = await this.send(probe);
            this.progress("what the kernels saw");
            const { podNetwork } = this.cluster.stack.outputs();
            const around = { objects: this.objects, podNetwork, lab: this.lab, dscp };
            const machines = await Promise.all(
                watches.map(async ({ reached, begun }) =>
                    readMachine(
                        reached,
                        await begun?.trace().catch((error: unknown) => void unwatched(reached, error, notes)),
                        around,
                    ),
                ),
            );
            return { answer, world: this.world(machines) };
        } finally {
            await Promise.all(watches.map(async ({ begun }) => begun?.trace().catch(() => undefined)));
        }
    }

    private world(machines: World["machines"]): World {
        const { nodes, podNetwork } = this.cluster.stack.outputs();
        const kubectl = (words: string): string => `${this.cluster.stack.command("kubectl")} ${words}`;
        const bridge = this.hostBridge === undefined ? {} : { hostBridge: this.hostBridge };
        return { objects: this.objects, nodes, podNetwork, machines, kubectl, ...bridge };
    }

    /** Sends it from where the search begins, without following it. */
    async send(probe: Probe): Promise<Answer> {
        if (this.origin.kind === "here") {
            return sendFromHere(probe);
        }
        const { on, namespace } = await this.place();
        return parseAnswer(await on.bash(probeScript(probe, namespace)), probe.protocol);
    }

    /** Runs a bash script where the search begins. @param call gets the name of the pod's network namespace, if it is a pod. */
    async bash(call: (namespace: string | undefined) => string): Promise<string> {
        const { on, namespace } = await this.place();
        return on.bash(call(namespace));
    }

    /** A command line where the search begins, as a person types it. @param call as for `bash`, once it is known. */
    command(call: (namespace: string | undefined) => string): string {
        const on = this.reached.find(({ name }) => name === this.beginsOn());
        return on?.command(call(this.namespace)) ?? call(this.namespace);
    }

    private async place(): Promise<{ readonly on: Reached; readonly namespace: string | undefined }> {
        const on = this.reached.find(({ name }) => name === this.beginsOn());
        if (on === undefined) {
            throw new Error(`${this.beginsOn()} is no machine of the stack`);
        }
        return {
            on,
            namespace: this.origin.kind === "pod" ? await this.namespaceOf(on, this.origin.address) : undefined,
        };
    }

    private async namespaceOf(on: Reached, address: string): Promise<string> {
        this.namespace ??= podNamespace(await on.network(), address)?.namespace;
        if (this.namespace === undefined) {
            throw new UserError(
                `The API server says that the pod has ${address} on ${on.name}, but no network namespace there has that address: ` +
                    `its sandbox is gone. See '${on.command("ip -all netns exec ip -brief address")}'.`,
            );
        }
        return this.namespace;
    }

    /** Name of the machine. */
    beginsOn(): string {
        return this.origin.kind === "here" ? "here" : this.origin.node.name;
    }

    private sourceAddress(world: World, target: Endpoint): string {
        if (this.origin.kind === "pod") {
            return this.origin.address;
        }
        const begin = machineNamed(world, this.beginsOn());
        const seen = begin?.crossings?.request[0]?.entry?.packet.source.address;
        return seen ?? begin?.address ?? target.address;
    }
}

function withLoss(hops: readonly Hop[], lost: Loss): readonly Hop[] {
    return hops.map((hop, index) => (index === hops.length - 1 ? { ...hop, lost } : hop));
}

function lostOutside({ address, port }: Endpoint, { said, outcome }: Answer): Loss {
    return {
        why: `it left, and no connection came of it (${said || outcome})`,
        should: `somebody with the address ${address} who answers on port ${port}, and no firewall before them`,
    };
}

/** Why what has arrived got no answer. */
function lossAtEnd({ packet, end, machine }: Walked, answer: Answer, reply: PacketHead | undefined): Loss | undefined {
    if (end === "outside") {
        return undefined;
    }
    if (reply !== undefined) {
        return resetLoss({ packet, machine }, reply);
    }
    return {
        why: `it got there, and no answer came (${answer.said || answer.outcome})`,
        should: `a process that listens on ${packet.protocol} port ${packet.destination.port}, and no firewall of its own before it`,
    };
}

/** Where what came back is a refusal by whoever got it. */
function resetLoss({ packet }: Pick<Walked, "packet" | "machine">, reply: PacketHead | undefined): Loss | undefined {
    return reply === undefined || (reply.flags & 4) === 0
        ? undefined
        : {
              why: `it got there and was refused: nothing listens on ${packet.protocol} port ${packet.destination.port}`,
              should: `a process that listens on port ${packet.destination.port}`,
          };
}

function unwatched({ name }: Reached, error: unknown, notes: string[]): undefined {
    const why = error instanceof Error ? error.message : String(error);
    notes.push(`${name} could not be watched; what it does is concluded: ${why}`);
    return undefined;
}
