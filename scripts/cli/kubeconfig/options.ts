import { UserError } from "../../support/errors";

/** What a person is to get: a name, groups, and the rights of a role in a namespace or everywhere. */
export interface UserRequest {
    readonly user: string;
    readonly groups: readonly string[];
    readonly namespace?: string;
    readonly role?: string;
    /** Seconds that it is good for. */
    readonly seconds: number;
}

export interface UserOptions {
    readonly user: string;
    readonly group: readonly string[];
    readonly namespace?: string;
    readonly role?: string;
    readonly expires: string;
}

const UNITS = { m: 60, h: 3600, d: 24 * 3600 } as const;
/** The API takes no shorter ones: https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/ */
const SHORTEST = 600;
/** The controller manager signs for no longer. */
const LONGEST = 7 * UNITS.d;

/** @throws UserError with all that is wrong, before anything is made. */
export function readUserRequest({ user, group, namespace, role, expires }: UserOptions): UserRequest {
    const seconds = readDuration(expires);
    const problems = [
        ...(/^[A-Za-z0-9]([A-Za-z0-9._@-]{0,61}[A-Za-z0-9])?$/.test(user)
            ? []
            : [`--user: "${user}" is no name: use 1 to 63 letters, digits, ".", "_", "@" and "-"`]),
        ...group
            .filter((name) => !/^[A-Za-z0-9][A-Za-z0-9._@:-]{0,62}$/.test(name))
            .map((name) => `--group: "${name}" is no name: use 1 to 63 letters, digits, ".", "_", "@", ":" and "-"`),
        ...group
            .filter((name) => /^(system|kubelab):/.test(name))
            .map((name) => `--group: "${name}" is one of the cluster's own: its rights can't be taken back`),
        ...(namespace === undefined || isLabel(namespace)
            ? []
            : [`--namespace: "${namespace}" is no namespace's name`]),
        ...(role === undefined || /^[A-Za-z0-9][A-Za-z0-9._:-]*$/.test(role)
            ? []
            : [`--role: "${role}" is no role's name`]),
        ...(namespace !== undefined && role === undefined ? ["--namespace: has no effect without --role"] : []),
        ...(role === undefined && group.length === 0
            ? ["give --role, --group or both: else the user may do nothing"]
            : []),
        ...(seconds === undefined || seconds < SHORTEST || seconds > LONGEST
            ? [`--expires: "${expires}" is no time from 10m to 7d: write it like 30m, 8h or 7d`]
            : []),
    ];
    if (problems.length > 0) {
        throw new UserError(problems.join("\n"));
    }
    return {
        user,
        groups: group,
        seconds: seconds ?? 0,
        ...(namespace === undefined ? {} : { namespace }),
        ...(role === undefined ? {} : { role }),
    };
}

/** Seconds of `30m`, `8h`, `7d`. */
function readDuration(text: string): number | undefined {
    const [, number, unit] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
    return unit === undefined ? undefined : Number(number) * UNITS[unit as keyof typeof UNITS];
}

function isLabel(text: string): boolean {
    return /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(text);
}
