import type { Problem } from "./problems";

/** What signs certificates, each for those that trust it, and the key that signs the tokens of service accounts. */
export const AUTHORITIES = ["kubernetes-ca", "etcd-ca", "front-proxy-ca", "service-accounts"] as const;
export type AuthorityName = (typeof AUTHORITIES)[number];

/**
 * Numbers of the keys that each of them has: the first one signs, all of them are trusted. A key is replaced in three runs of `up`:
 * `[1, 2]`, `[2, 1]`, `[2]`. https://kubernetes.io/docs/tasks/tls/manual-rotation-of-ca-certificates/
 */
export type Generations = Readonly<Record<AuthorityName, readonly number[]>>;

/** Of a cluster whose authorities were never replaced. */
export const FIRST_GENERATION = [1] as const;

/** Those that aren't what they were at first, for the next run. */
export function replacedAuthorities(all: Generations): Partial<Generations> {
    return Object.fromEntries(AUTHORITIES.filter((name) => !isFirst(all[name])).map((name) => [name, all[name]]));
}

const isFirst = (numbers: readonly number[]): boolean => numbers.join() === FIRST_GENERATION.join();

/** The numbers of the last run, as `replacedAuthorities` told them. */
function numbersOf(previous: Partial<Generations>, name: AuthorityName): readonly number[] {
    return previous[name] ?? FIRST_GENERATION;
}

/** Whether kubelets have to ask for certificates again that another key signs. */
export function signsAnew(previous: Partial<Generations>, next: Generations): boolean {
    return numbersOf(previous, "kubernetes-ca")[0] !== next["kubernetes-ca"][0];
}

/** The steps between two runs that would leave something without what it trusts. */
export function refuseUntrusted(previous: Partial<Generations>, next: Generations): Problem[] {
    return AUTHORITIES.flatMap((name) => {
        const before = numbersOf(previous, name);
        const after = next[name];
        const [signing = 0] = after;
        const [was = 0] = before;
        const key = `authorities.${name}`;
        if (!before.includes(signing)) {
            const problem = `begins with ${signing}, which nothing trusts yet`;
            const remedy = `set [${was}, ${signing}] and run 'up' first`;
            return [{ key, value: after, problem, remedy }];
        }
        if (!after.includes(was)) {
            const problem = `lacks ${was}, which has signed all that is in use`;
            return [{ key, value: after, problem, remedy: `set [${signing}, ${was}] and run 'up' first` }];
        }
        return [];
    });
}
