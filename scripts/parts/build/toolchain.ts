import { existsSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UserError } from "../../support/errors";
import type { Progress } from "../../support/progress";
import { run } from "./run";

export interface GoToolchain {
    readonly program: string;
    /** e.g. `go1.26.8`: the one that builds, which `go` itself may get. */
    readonly version: string;
    /** Where it keeps compiled packages and modules. */
    readonly caches: readonly string[];
}

const INSTALL = "install Go (https://go.dev/doc/install), or use parts from elsewhere with --source directory";

/**
 * Finds Go on PATH, in /usr/local/go or in /usr/lib/go-*. One from 1.21 on that is older than `needed` gets the needed
 * toolchain itself, as a Go module, unless GOTOOLCHAIN forbids it. https://go.dev/doc/toolchain
 *
 * @param needed the newest `go` line of the go.mod files, e.g. `1.26.0`.
 * @throws UserError where there is no Go or it is too old.
 */
export async function findGo(needed: string, progress: Progress): Promise<GoToolchain> {
    const program = goCandidates(process.env.PATH ?? "").find((path) => existsSync(path));
    if (program === undefined) {
        throw new UserError(
            `the parts are built from source by Go ${needed} or later, and there is none here: ${INSTALL}`,
        );
    }
    // Outside any module `go` tells its own version.
    const asked = ["GOVERSION", "GOTOOLCHAIN", "GOCACHE", "GOMODCACHE"];
    const [version = "", toolchain = "", ...caches] = (await run(program, ["env", ...asked], { cwd: tmpdir() }))
        .trim()
        .split("\n");
    if (compareGoVersions(version, needed) >= 0) {
        return { program, version, caches };
    }
    const switches = toolchain === "auto" || toolchain.endsWith("+auto");
    if (compareGoVersions(version, "1.21") < 0 || !switches) {
        const why = switches ? "" : ` (and GOTOOLCHAIN=${toolchain} keeps it from getting a newer one)`;
        throw new UserError(`${program} is ${version}${why}; the parts need Go ${needed} or later: ${INSTALL}`);
    }
    progress(`${program} is ${version}: it gets Go ${needed} through its module proxy`);
    return { program, version: `go${needed}`, caches };
}

/** Where `go` may be, in order of preference. */
export function goCandidates(path: string): string[] {
    const packaged = existsSync("/usr/lib")
        ? readdirSync("/usr/lib")
              .filter((name) => /^go-1\.\d+$/.test(name))
              .sort((a, b) => compareGoVersions(b.slice(3), a.slice(3)))
        : [];
    return [
        ...path
            .split(":")
            .filter((directory) => directory !== "")
            .map((directory) => join(directory, "go")),
        "/usr/local/go/bin/go",
        ...packaged.map((name) => join("/usr/lib", name, "bin/go")),
    ];
}

/** Negative, 0 or positive, as for sort(); reads `go1.26.8`, `1.26`, `1.26rc1` and `devel …` (older than all). */
export function compareGoVersions(a: string, b: string): number {
    const numbers = (version: string): number[] => {
        const match = /^(?:go)?(\d+)\.(\d+)(?:\.(\d+))?(rc|beta)?/.exec(version);
        return [match?.[1], match?.[2], match?.[3]].map((digits) => Number(digits ?? 0)).concat(match?.[4] ? -1 : 0);
    };
    const left = numbers(a);
    return numbers(b).reduce((order, number, index) => (order !== 0 ? order : (left[index] ?? 0) - number), 0);
}
