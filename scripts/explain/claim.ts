import { renderReport } from "../inspect/events";
import type { Claim } from "../inspect/snapshot";
import { done, type Explanation, failed, type Finding, follow } from "./explanation";
import { type Facts, lastReport } from "./facts";
import { controlPlanePart, notRunning } from "./parts";
import { resourceName } from "./resource";

const DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class";

/** The chain of a PersistentVolumeClaim: class, volume. */
export function explainClaim(facts: Facts, claim: Claim): Explanation {
    const followed = follow([
        {
            stage: "admitted",
            responsible: "API server",
            find: () => done(`stored ${claim.metadata.creationTimestamp}`),
        },
        { stage: "storage class", responsible: "author", find: () => storageClass(facts, claim) },
        { stage: "bound to a volume", responsible: "controller manager", find: () => bound(facts, claim) },
    ]);
    return {
        resource: resourceName(claim),
        namespace: claim.metadata.namespace ?? "",
        summary: followed.fault?.summary ?? `It is bound to ${claim.spec.volumeName ?? "?"}.`,
        ...followed,
    };
}

function storageClass({ snapshot }: Facts, { spec, status }: Claim): Finding {
    const { storageClassName } = spec;
    const classes = snapshot.storageClasses.map(({ metadata }) => metadata.name);
    const list = {
        command: "kubectl",
        words: ["get", "storageclasses,persistentvolumes"],
        why: "classes and volumes that there are",
    };
    if (status.phase === "Bound" || storageClassName === "") {
        return done(storageClassName ? storageClassName : "none asked for");
    }
    if (storageClassName === undefined) {
        const isDefault = snapshot.storageClasses.some(
            ({ metadata }) => metadata.annotations?.[DEFAULT_CLASS] === "true",
        );
        return isDefault
            ? done("the default one")
            : failed([`spec.storageClassName is empty; classes: ${classes.join(", ") || "none"}`], {
                  responsible: "author",
                  nodes: [],
                  summary:
                      "The claim names no storage class, and the cluster has no default one: nobody makes a volume. kubelab brings none.",
                  said: [],
                  next: [list],
              });
    }
    return classes.includes(storageClassName)
        ? done(storageClassName)
        : failed([`classes: ${classes.join(", ") || "none"}`], {
              responsible: "author",
              nodes: [],
              summary: `The claim names the storage class ${storageClassName}, which the cluster doesn't have.`,
              said: [],
              next: [list],
          });
}

function bound(facts: Facts, claim: Claim): Finding {
    if (claim.status.phase === "Bound") {
        return done(`phase Bound, volume ${claim.spec.volumeName ?? ""}`);
    }
    const report = lastReport(
        facts,
        claim,
        "ProvisioningFailed",
        "FailedBinding",
        "ExternalProvisioning",
        "WaitForFirstConsumer",
        "WaitForPodScheduled",
    );
    const manager = controlPlanePart(facts, "controller manager");
    const lines = [
        `phase ${claim.status.phase ?? "none"}`,
        ...(report === undefined ? [] : [renderReport(report)]),
        ...manager.evidence,
    ];
    const describe = {
        command: "kubectl",
        words: ["-n", claim.metadata.namespace ?? "", "describe", "pvc", claim.metadata.name],
        why: "the claim with its events",
    };
    if (!manager.runs) {
        return failed(
            lines,
            notRunning(
                "controller manager",
                manager,
                "No controller manager runs that would bind the claim to a volume.",
                [describe],
            ),
        );
    }
    const waits = report?.reason === "WaitForFirstConsumer";
    const provisions = report?.reason === "ExternalProvisioning" || report?.reason === "ProvisioningFailed";
    return failed(lines, {
        responsible: waits ? "author" : provisions ? "provisioner" : "controller manager",
        nodes: [],
        summary: waits
            ? "The claim's class waits for the first pod that uses it, and there is none."
            : `The claim has no volume: ${report?.message ?? "the controller manager has said nothing about it"}`,
        said: report === undefined ? manager.said : [{ who: report.by, lines: [renderReport(report)] }],
        next: [describe],
    });
}
