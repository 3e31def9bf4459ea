import { type AuthorityName, FIRST_GENERATION } from "../../../components/cluster-spec/authorities";

/** https://kubernetes.io/docs/tasks/tls/manual-rotation-of-ca-certificates/: trust the new key too, sign with it, forget the old one. */
export const PHASES = ["trust-both", "reissue", "trust-new"] as const;
export type Phase = (typeof PHASES)[number];

/** A run of `up` that replaces a key, with the value of `kubelab:authorities` for it. */
export interface PlannedPhase {
    readonly phase: Phase;
    readonly numbers: readonly number[];
}

/** What pods have to do with an authority: `up` doesn't restart them. */
export const PODS: Readonly<Partial<Record<AuthorityName, { readonly before: Phase; readonly why: string }>>> = {
    "kubernetes-ca": { before: "reissue", why: "A pod may read which authority to trust only when it starts" },
    "service-accounts": {
        before: "trust-new",
        why: "The old key has signed the tokens of pods; each is renewed within the hour, or when its pod starts",
    },
};

const EFFECTS: Readonly<Record<Phase, string>> = {
    "trust-both": "the new key is made, and trusted beside the old one",
    reissue: "the new key signs, and all that the old one has signed is made anew",
    "trust-new": "the old key is forgotten",
};

/** The phases that are left, from what the config says; one that was begun is done again, which changes nothing where it was done. */
export function phasesLeft(numbers: readonly number[] = FIRST_GENERATION): PlannedPhase[] {
    const [signing = 1, other = signing + 1] = numbers;
    const [old, next] = signing < other ? [signing, other] : [other, signing];
    const all: readonly PlannedPhase[] = [
        { phase: "trust-both", numbers: [old, next] },
        { phase: "reissue", numbers: [next, old] },
        { phase: "trust-new", numbers: [next] },
    ];
    return signing < other ? [...all] : all.slice(1);
}

/** A line for each phase, and for what it waits for. */
export function renderPhasesLeft(name: AuthorityName, phases: readonly PlannedPhase[]): string {
    return phases
        .flatMap(({ phase, numbers }) => [
            ...(PODS[name]?.before === phase ? [`${" ".repeat(12)}pods: ${PODS[name].why}`] : []),
            `${phase.padEnd(12)}{ "${name}": [${numbers.join(", ")}] }: ${EFFECTS[phase]}`,
        ])
        .join("\n");
}
