import { type Facts, type FileFact, setting } from "./facts";

/** What a check finds on one machine. */
export type Finding =
    | { readonly state: "pass" }
    | { readonly state: "fail"; readonly why: string }
    /** It isn't as the benchmark wants it, or there is no such thing, and that is no weakness. */
    | { readonly state: "reason"; readonly why: string };

/** A check that the benchmark scores. */
export interface Check {
    /** As the benchmark numbers it. */
    readonly id: string;
    /** What is so where it passes. */
    readonly text: string;
    readonly on: "control-plane" | "all";
    readonly find: (facts: Facts, cluster: ClusterFacts) => Finding;
}

export interface ClusterFacts {
    /** `kubenet`, or the name of the plugin. */
    readonly podNetwork: string;
}

export const PASS: Finding = { state: "pass" };
export const fail = (why: string): Finding => ({ state: "fail", why });
export const reason = (why: string): Finding => ({ state: "reason", why });

/** Whether a flag of a running process is right. A process that doesn't run is no part of the cluster. */
export function flagCheck(
    process: string,
    name: string,
    right: (value: string | undefined) => boolean,
): (facts: Facts) => Finding {
    return ({ flags }) => {
        const { [process]: given } = flags;
        if (given === undefined) {
            return reason(`${process} doesn't run here`);
        }
        const value = given[name];
        return right(value) ? PASS : fail(value === undefined ? `--${name} isn't set` : `--${name}=${value}`);
    };
}

/** Whether flags are set, all of them. */
export function flagsSet(process: string, ...names: readonly string[]): (facts: Facts) => Finding {
    return (facts) => {
        const findings = names.map((name) => flagCheck(process, name, (value) => (value ?? "") !== "")(facts));
        return findings.find(({ state }) => state !== "pass") ?? PASS;
    };
}

/** Whether a setting of a process is right, where its flag or else its configuration file has it. */
export function settingCheck(
    process: string,
    path: string,
    right: (value: unknown) => boolean,
    flag?: string,
): (facts: Facts) => Finding {
    return (facts) => {
        const given = facts.flags[process];
        if (given === undefined) {
            return reason(`${process} doesn't run here`);
        }
        const value = (flag === undefined ? undefined : given[flag]) ?? setting(facts, process, path);
        return right(value) ? PASS : fail(`${path} is ${value === undefined ? "not set" : JSON.stringify(value)}`);
    };
}

/** Whether nobody has more rights on the files than `mode` gives; there must be one. */
export function modeCheck(path: RegExp, mode: string): (facts: Facts) => Finding {
    const beyond = ~parseInt(mode, 8) & 0o7777;
    return fileCheck(path, (file) => ((parseInt(file.mode, 8) & beyond) === 0 ? undefined : `mode ${file.mode}`));
}

export function ownerCheck(path: RegExp, owner: string): (facts: Facts) => Finding {
    return fileCheck(path, (file) => (file.owner === owner ? undefined : `owner ${file.owner}`));
}

/** @param fault what is wrong with a file; undefined where nothing is. */
function fileCheck(path: RegExp, fault: (file: FileFact) => string | undefined): (facts: Facts) => Finding {
    return ({ files }) => {
        const found = files.filter((file) => path.test(file.path));
        const faults = found.flatMap((file) => {
            const why = fault(file);
            return why === undefined ? [] : [`${file.path}: ${why}`];
        });
        if (found.length === 0) {
            return reason("there is no such file here");
        }
        return faults.length === 0 ? PASS : fail(faults.join("; "));
    };
}

/** Files of a process that isn't root: they are its own user's, for nobody else. */
export function ownUsersFile(path: RegExp, user: string): (facts: Facts) => Finding {
    return (facts) => {
        const wrong = [modeCheck(path, "600")(facts), ownerCheck(path, `${user}:${user}`)(facts)];
        return (
            wrong.find(({ state }) => state !== "pass") ??
            reason(`the process isn't root: the file is its own user's (${user}), for nobody else to read`)
        );
    };
}
