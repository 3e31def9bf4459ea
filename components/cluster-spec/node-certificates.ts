import type { Problem } from "./problems";
import type { Config } from "./schema";
import type { ClusterSpec, NodeCertificates } from "./types";

type Deciding = Pick<Config, "hosting" | "components">;

/** How kubelets get their certificates where the config doesn't say. */
export function resolveNodeCertificates(config: Deciding): NodeCertificates {
    return whyIssued(config) === undefined ? "bootstrap" : "issued";
}

/** Whether the bring-up comes to kubelets that ask for their certificates. */
export function asksForCertificates({
    nodeCertificates,
    steps,
}: Pick<ClusterSpec, "nodeCertificates" | "steps">): boolean {
    return nodeCertificates === "bootstrap" && steps.includes("kubelet");
}

/** `bootstrap` where nobody could sign what kubelets ask for. */
export function refuseBootstrap({ nodeCertificates, hosting, components }: Partial<Config>): Problem[] {
    const why = hosting === undefined || components === undefined ? undefined : whyIssued({ hosting, components });
    return nodeCertificates !== "bootstrap" || why === undefined
        ? []
        : [{ key: "nodeCertificates", value: nodeCertificates, problem: `can't be: ${why}`, remedy: 'use "issued"' }];
}

/** Undefined where kubelets can ask for theirs. */
function whyIssued({ hosting, components }: Deciding): string | undefined {
    if (hosting === "static-pods") {
        return "the kubelet of the control plane runs the API server that it would have to ask";
    }
    return components.controllerManager
        ? undefined
        : "the controller manager, which signs the certificates, is switched off";
}
