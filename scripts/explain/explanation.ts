/** Who acts at a stage. The author is whoever wrote the object. */
export type Responsible =
    | "author"
    | "API server"
    | "etcd"
    | "admission"
    | "controller manager"
    | "scheduler"
    | "kubelet"
    | "containerd"
    | "CNI plugin"
    | "pod network"
    | "kube-proxy"
    | "container"
    | "provisioner"
    | "cluster DNS"
    | "machine";

/** A command of scripts/lab to type next. */
export interface Next {
    /** Name of the command, and what comes after its options. */
    readonly command: string;
    readonly words: readonly string[];
    /** What it shows or does. */
    readonly why: string;
}

/** What somebody said last. */
export interface Said {
    /** `kube-scheduler on cp-1`, `event`, `container web` */
    readonly who: string;
    readonly lines: readonly string[];
}

/** Why a stage isn't done. */
export interface Fault {
    /** Who should have acted, or did and could not. */
    readonly responsible: Responsible;
    /** Nodes, where it is about some. */
    readonly nodes: readonly string[];
    /** A sentence: what doesn't happen, and why. */
    readonly summary: string;
    readonly said: readonly Said[];
    readonly next: readonly Next[];
}

/** A stage in the life of a resource, as far as it can be seen. */
export interface Stage {
    /** `bound to a node` */
    readonly stage: string;
    readonly responsible: Responsible;
    /** `unknown`: nobody can tell; `later`: an earlier one isn't done. */
    readonly state: "done" | "failed" | "unknown" | "later";
    /** Conditions, fields, events, lines. */
    readonly evidence: readonly string[];
}

export interface Explanation {
    /** `pod/web` */
    readonly resource: string;
    /** Absent where the kind has none. */
    readonly namespace?: string;
    readonly well: boolean;
    /** One line on the whole. */
    readonly summary: string;
    readonly stages: readonly Stage[];
    /** Of the first stage that isn't done. */
    readonly fault?: Fault;
}

/** What is found of a stage. */
export type Finding =
    | { readonly state: "done" | "unknown"; readonly evidence: readonly string[] }
    | { readonly state: "failed"; readonly evidence: readonly string[]; readonly fault: Fault };

/** A stage that can be looked at; `undefined` where the resource has no such stage. */
export interface Look {
    readonly stage: string;
    readonly responsible: Responsible;
    readonly find: () => Finding | undefined;
}

export const done = (...evidence: readonly string[]): Finding => ({ state: "done", evidence });
export const unknown = (...evidence: readonly string[]): Finding => ({ state: "unknown", evidence });

export function failed(evidence: readonly string[], fault: Fault): Finding {
    return { state: "failed", evidence, fault };
}

/** Looks at one stage after the other until one has failed; nobody looks at those after it. */
export function follow(looks: readonly Look[]): Pick<Explanation, "well" | "stages" | "fault"> {
    const stages: Stage[] = [];
    let fault: Fault | undefined;
    for (const { stage, responsible, find } of looks) {
        if (fault !== undefined) {
            stages.push({ stage, responsible, state: "later", evidence: [] });
            continue;
        }
        const finding = find();
        if (finding !== undefined) {
            fault = finding.state === "failed" ? finding.fault : undefined;
            stages.push({
                stage,
                responsible: fault?.responsible ?? responsible,
                state: finding.state,
                evidence: finding.evidence,
            });
        }
    }
    return { well: fault === undefined, stages, ...(fault === undefined ? {} : { fault }) };
}
