import { UserError } from "../support/errors";
import {
    certificatesOfKubelets,
    certificatesOfState,
    daysLeft,
    endsSoon,
    renderCertificates,
    renewalFlags,
} from "./certificates";
import { openCluster } from "./open-cluster";
import { rotate, type RotationOptions } from "./rotation";
import type { Stack } from "./stack";
import { quietEngine, up } from "./up";

interface Asked {
    readonly action: string | undefined;
    readonly names: readonly string[];
    readonly all: boolean;
    readonly json: boolean;
    readonly rotation: RotationOptions;
}

/** Lists the certificates of a cluster, or makes some anew. @returns the exit code: 1 where one has ended. */
export async function certs(stack: Stack, { action, names, all, json, rotation }: Asked): Promise<number> {
    if (action !== undefined && action !== "renew") {
        throw new UserError(`'certs ${action}' is unknown: it is 'certs', or 'certs renew' with names or --all.`);
    }
    const { authority, ...howToRotate } = rotation;
    const ways = [all, names.length > 0, authority !== undefined].filter(Boolean).length;
    if (action === "renew" && ways !== 1) {
        throw new UserError("'certs renew' takes the names of certificates, or --all, or --authority.");
    }
    const strays = Object.keys(howToRotate);
    if ((action === undefined && ways > 0) || (authority === undefined && strays.length > 0)) {
        throw new UserError("--all and --authority are for 'certs renew', and the other options for --authority.");
    }
    if (authority !== undefined) {
        await rotate(stack, { ...howToRotate, authority });
        return 0;
    }
    const cluster = await openCluster(stack);
    const [engine, kubelets] = await Promise.all([quietEngine(stack), certificatesOfKubelets(cluster)]);
    const certificates = [...certificatesOfState(await engine.resources()), ...kubelets.certificates];
    if (action === "renew") {
        const flags = renewalFlags(certificates, all ? "all" : names);
        await up(stack, { config: [], preview: false, json, verbose: false, flags });
        return 0;
    }
    const now = new Date();
    if (json) {
        console.log(JSON.stringify(certificates.map((each) => ({ ...each, daysLeft: daysLeft(each, now) }))));
    } else {
        console.log(renderCertificates(certificates, now));
    }
    for (const node of kubelets.silent) {
        console.error(`${node} doesn't answer: what its kubelet has isn't listed.`);
    }
    const ending = certificates.filter((each) => endsSoon(each, now));
    if (ending.length > 0) {
        const which = ending.map(({ name }) => name).join(", ");
        console.error(`These end soon: ${which}. '${stack.command("up")}' renews those that are its own.`);
    }
    return certificates.some((each) => each.notAfter < now) ? 1 : 0;
}
