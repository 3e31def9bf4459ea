import type { Properties } from "../value";

const HOUR = 3600 * 1000;

/** Whether a certificate's early renewal has begun. */
export function isDueForRenewal(outputs: Properties, inputs: Properties): boolean {
    const end = outputs["validityEndTime"];
    const early = Number(inputs["earlyRenewalHours"] ?? 0) * HOUR;
    return typeof end === "string" && Number.isFinite(early) && Date.parse(end) - early <= Date.now();
}
