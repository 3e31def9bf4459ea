import { AUTHORITIES, type AuthorityName } from "../../components/cluster-spec/authorities";
import { numbered } from "../../components/pki/numbered";
import { UserError } from "../support/errors";
import { certificatesOfKubelets } from "./certificates";
import type { ClusterAccess } from "./cluster-access";
import { openCluster } from "./open-cluster";
import { type Phase, PHASES, phasesLeft, type PlannedPhase, PODS, renderPhasesLeft } from "./rotation/phases";
import { restartPods } from "./rotation/restart-pods";
import { requireSpec } from "./spec-of-stack";
import type { Stack } from "./stack";
import { setInStackFile } from "./stack-file";
import { settled } from "./stopped-machines";
import { up } from "./up";

/** Kubelets ask for their certificates within seconds of their restart. */
const KUBELETS_SECONDS = 180;

export interface RotationOptions {
    readonly authority?: string;
    /** Last phase of this call. */
    readonly until?: string;
    /** Restart the pods that have to know the new key. */
    readonly restartPods?: boolean;
    /** Go on without. */
    readonly now?: boolean;
    readonly dryRun?: boolean;
}

/**
 * Replaces the key of an authority, or that of the service accounts, in runs of `up`. What was begun is carried on.
 *
 * @throws UserError where the options don't fit; where a run fails, with what to do.
 */
export async function rotate(stack: Stack, options: RotationOptions & { readonly authority: string }): Promise<void> {
    const name = oneOf(AUTHORITIES, options.authority, "--authority");
    const until = options.until === undefined ? undefined : oneOf(PHASES, options.until, "--until");
    stack.requireUp();
    const current = requireSpec(stack).authorities[name];
    const phases = phasesLeft(current);
    const last = until ?? "trust-new";
    if (!phases.some(({ phase }) => phase === last)) {
        throw new UserError(`The phase ${last} of ${name} is done; what is left:\n${renderPhasesLeft(name, phases)}`);
    }
    console.log(renderPhasesLeft(name, phases));
    if (options.dryRun === true) {
        return;
    }
    const again = stack.command("certs", "renew", "--authority", name);
    for (const planned of phases.slice(0, phases.findIndex(({ phase }) => phase === last) + 1)) {
        const concernsPods = PODS[name]?.before === planned.phase && planned.numbers.join() !== current.join();
        if (concernsPods && !(await podsMayGoOn(stack, name, planned.phase, again, options))) {
            return;
        }
        await runPhase(stack, name, planned, again);
    }
    console.log(last === "trust-new" ? `${name} has a new key.` : `${last} is done. '${again}' goes on.`);
}

/** Whether the next phase may begin: pods have been restarted, or needn't be. */
async function podsMayGoOn(
    stack: Stack,
    name: AuthorityName,
    next: Phase,
    again: string,
    options: RotationOptions,
): Promise<boolean> {
    if (options.now === true) {
        return true;
    }
    if (options.restartPods !== true) {
        console.log(
            `${PODS[name]?.why ?? ""}. Before ${next}: '${again} --restart-pods' restarts them; '${again} --now' goes on without.`,
        );
        return false;
    }
    const others = await restartPods(await openCluster(stack), (line) => console.log(line));
    if (others.length > 0) {
        throw new UserError(
            `Nothing starts these pods again: ${others.join(", ")}. Replace those that use the API, and go on with '${again} --now'.`,
        );
    }
    return true;
}

async function runPhase(stack: Stack, name: AuthorityName, planned: PlannedPhase, again: string): Promise<void> {
    const { phase, numbers } = planned;
    console.log(
        `\n${phase}: kubelab:authorities in Pulumi.${stack.name}.yaml is { "${name}": [${numbers.join(", ")}] } now`,
    );
    setInStackFile(stack, "authorities", name, numbers);
    try {
        await up(stack, { config: [], preview: false, json: false, verbose: false, flags: [] });
        if (name === "kubernetes-ca" && phase === "reissue") {
            await awaitKubelets(await openCluster(stack), numbers[0] ?? 1);
        }
    } catch (error) {
        const next = phase === "trust-new" ? stack.command("up") : again;
        throw new UserError(`${(error as Error).message}\n${phase} has not come to its end: '${next}' does it again.`);
    }
}

/** Those that keep what the old key has signed would be lost with it. */
async function awaitKubelets(cluster: ClusterAccess, number: number): Promise<void> {
    const others = async (): Promise<string[]> => {
        const { certificates, silent } = await certificatesOfKubelets(cluster);
        return [
            ...certificates
                .filter(({ issuer }) => issuer !== numbered("kubernetes-ca", number))
                .map((each) => each.name),
            ...silent.map((node) => `${node}, which doesn't answer`),
        ];
    };
    await settled(KUBELETS_SECONDS, async () => (await others()).length > 0);
    const left = await others();
    if (left.length > 0) {
        throw new UserError(`The new key hasn't signed these: ${left.join(", ")}.`);
    }
}

function oneOf<Name extends string>(names: readonly Name[], given: string, option: string): Name {
    const found = names.find((each) => each === given);
    if (found === undefined) {
        throw new UserError(`${option} ${given}: it is one of ${names.join(", ")}.`);
    }
    return found;
}
