import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { UserError } from "../../support/errors";
import type { Summary } from "../../engine/event";
import type { PhaseTime } from "../phases";
import { Stack } from "../stack";
import { timed } from "./process";

/** The last line of `scripts/lab up --json`. */
export interface UpReport extends Summary {
    /** Commands run, here and on machines. */
    readonly steps: number;
    readonly phases: readonly PhaseTime[];
    /** Wall clock of the whole command, its start included. */
    readonly wallSeconds: number;
}

/**
 * A lab of the measurement's own, made from another stack's config: with a name and a network that no other lab has, and
 * worked on by `scripts/lab` as a person would.
 */
export class BenchLab {
    readonly stack: Stack;
    private readonly file: string;
    private readonly content: { readonly config: Readonly<Record<string, unknown>> };

    /**
     * @param network IPv4 CIDR of its machines.
     * @throws UserError where the source isn't a stack of local machines.
     */
    constructor(
        source: Stack,
        private readonly network: string,
        private readonly signal: AbortSignal,
    ) {
        source.requireConfig();
        const path = join(source.repository, `Pulumi.${source.name}.yaml`);
        this.content = parse(readFileSync(path, "utf8")) as BenchLab["content"];
        const provider = (this.value("provider") as string | undefined) ?? "local";
        if (provider !== "local") {
            throw new UserError(
                `The stack "${source.name}" has machines of ${provider}; what is measured are local ones.`,
            );
        }
        this.stack = new Stack(source.repository, `bench-${source.name}`);
        this.file = join(source.repository, `Pulumi.${this.stack.name}.yaml`);
    }

    /** Workers in the stack's config. */
    get workers(): number {
        return Number(this.value("workers") ?? 2);
    }

    /** Whether a service of the cluster can have pods and be answered. */
    get servesWeb(): boolean {
        const { scheduler, controllerManager, kubeProxy } = (this.value("components") ?? {}) as Readonly<
            Partial<Record<"scheduler" | "controllerManager" | "kubeProxy", boolean>>
        >;
        return ![scheduler, controllerManager, kubeProxy].includes(false);
    }

    /** `up` with these keys in place of the config's. */
    async up(changes: Readonly<Record<string, unknown>> = {}): Promise<UpReport> {
        this.configure(changes);
        const { seconds, stdout } = await this.lab("up", this.signal);
        return { ...(lastLine(stdout) as UpReport), wallSeconds: seconds };
    }

    /** Wall clock of `down` in seconds. */
    async down(): Promise<number> {
        return (await this.lab("down", this.signal)).seconds;
    }

    /** Takes it down in any state, also after an interrupt, and forgets it. */
    async remove(): Promise<void> {
        this.configure({});
        await this.lab("down", undefined);
        rmSync(this.file, { force: true });
    }

    private lab(command: string, signal: AbortSignal | undefined): ReturnType<typeof timed> {
        const program = join(this.stack.repository, "scripts/lab");
        return timed([program, command, "--stack", this.stack.name, "--json"], { signal });
    }

    private value(key: string): unknown {
        const { config } = this.content;
        return config[`kubelab:${key}`] ?? config[key];
    }

    /** The config's keys without `kubelab:`, with these in place of its own. */
    settings({ local, ...changes }: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
        const given = Object.entries(this.content.config)
            .filter(([key]) => key.startsWith("kubelab:") || !key.includes(":"))
            .map(([key, value]) => [key.replace(/^kubelab:/, ""), value] as const);
        const own = { ...(this.value("local") as object | undefined), ...(local as object | undefined) };
        return {
            ...Object.fromEntries(given),
            ...changes,
            name: this.stack.name,
            local: { driver: "nspawn", ...own, network: this.network },
        };
    }

    private configure(changes: Readonly<Record<string, unknown>>): void {
        const foreign = Object.entries(this.content.config).filter(
            ([key]) => key.includes(":") && !key.startsWith("kubelab:"),
        );
        const own = Object.entries(this.settings(changes)).map(([key, value]) => [`kubelab:${key}`, value] as const);
        const config = Object.fromEntries([...foreign, ...own]);
        writeFileSync(this.file, stringify({ ...this.content, config }), { mode: 0o600 });
    }
}

function lastLine(stdout: string): unknown {
    return JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
}
