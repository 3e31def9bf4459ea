import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { basename, join } from "node:path";
import type { GoProject } from "../recipe";
import { ARCHITECTURE } from "../recipe-digest";
import { changedModule } from "./changed-module";
import type { Counter } from "./counter";
import { projectDirectory } from "./go-module";
import { run } from "./run";
import { makeParent, step, type StepOutput } from "./step";
import type { GoToolchain } from "./toolchain";

/**
 * Builds the programs of one upstream project, static and stripped, from the modules that its go.mod and go.sum pin.
 *
 * @param directory where these two are.
 */
export async function buildProject(
    project: GoProject,
    go: GoToolchain,
    counter: Counter,
    directory: string = projectDirectory(project),
): Promise<StepOutput> {
    // Who asks for it, and how long it takes, changes nothing of what is built.
    const inputs = { ...project, neededBy: undefined, cpuSeconds: undefined };
    const sources = readdirSync(directory)
        .sort()
        .map((name) => [name, readFileSync(join(directory, name), "utf8")]);
    counter.estimate?.begin(project.name);
    const output = await step(
        `go-${project.name}`,
        { project: inputs, sources, go: go.version, architecture: ARCHITECTURE },
        (incoming) => build(project, go, counter, directory, incoming),
    );
    counter.estimate?.finish(project.name, output.reused);
    if (output.reused) {
        counter.done(`${project.name} (kept)`, countPrograms(project));
    }
    return output;
}

/** Downloads the modules that a project's build will need. What is wrong with them is told by the build. */
export async function downloadModules(project: GoProject, go: GoToolchain): Promise<void> {
    const packages = Object.values({ ...project.programs, ...project.tests });
    const tests = Object.keys(project.tests ?? {}).length > 0 ? ["-test"] : [];
    const args = ["list", "-deps", ...tests, "-mod=readonly", ...tagArguments(project), ...packages];
    await run(go.program, args, {
        cwd: projectDirectory(project),
        environment: goEnvironment(project),
    }).catch(() => undefined);
}

async function build(
    project: GoProject,
    go: GoToolchain,
    counter: Counter,
    directory: string,
    incoming: string,
): Promise<void> {
    const isMissing = ([path]: readonly [string, string]): boolean => {
        const there = existsSync(join(incoming, path));
        if (there) {
            counter.done(`${path} (kept from an interrupted build)`);
        }
        return !there;
    };
    const missing = Object.entries(project.programs).filter(isMissing);
    const missingTests = Object.entries(project.tests ?? {}).filter(isMissing);
    // On the same file system as the output, so that `go` moves a linked program there in one step.
    const temporary = join(incoming, "tmp");
    const linked = join(incoming, "linked");
    const changed = join(incoming, "changed");
    rmSync(changed, { recursive: true, force: true });
    [temporary, linked, changed].forEach((path) => mkdirSync(path, { recursive: true }));
    const collect = (): void => {
        const there = readdirSync(linked);
        for (const [path, goPackage] of missing) {
            if (there.includes(programName(goPackage))) {
                makeParent(join(incoming, path));
                renameSync(join(linked, programName(goPackage)), join(incoming, path));
                counter.done(path);
            }
        }
    };
    let compiled = 0;
    let downloaded = 0;
    const collecting = setInterval(collect, 500);
    const telling = setInterval(() => {
        const modules = downloaded > 0 ? `${downloaded} modules downloaded, ` : "";
        counter.note(`${project.name}: ${modules}${compiled > 0 ? `${compiled} packages compiled` : "looking"}`);
    }, 1_000);
    const runGo = (args: readonly string[]): Promise<string> =>
        run(go.program, args, {
            cwd: directory,
            environment: goEnvironment(project, temporary),
            onLine: (line) => {
                downloaded += line.startsWith("go: downloading ") ? 1 : 0;
                compiled += /^[\w.~/-]+$/.test(line) ? 1 : 0;
            },
        });
    try {
        if (missing.length > 0) {
            const packages = missing.map(([, goPackage]) => goPackage);
            await runGo(
                goArguments(project, packages, `${linked}/`, await changedModule(project, go, directory, changed)),
            );
        }
        collect();
        for (const [path, goPackage] of missingTests) {
            const output = join(linked, basename(path));
            await runGo(goArguments(project, [goPackage], output, ["-vet=off"], ["test", "-c"]));
            makeParent(join(incoming, path));
            renameSync(output, join(incoming, path));
            counter.done(path);
        }
    } finally {
        clearInterval(collecting);
        clearInterval(telling);
    }
    [temporary, linked, changed].forEach((path) => rmSync(path, { recursive: true, force: true }));
}

/** The name `go build -o directory/` gives a package's program: the last element of its path that isn't a major version. */
export function programName(goPackage: string): string {
    return basename(goPackage.replace(/\/v\d+$/, ""));
}

/** How many programs and test binaries a project has. */
export function countPrograms({ programs, tests = {} }: Pick<GoProject, "programs" | "tests">): number {
    return Object.keys(programs).length + Object.keys(tests).length;
}

/**
 * @param output of one program; with a slash at its end, the directory of all.
 * @param more further arguments of the command.
 */
export function goArguments(
    project: GoProject,
    packages: readonly string[],
    output: string,
    more: readonly string[] = [],
    command: readonly string[] = ["build"],
): string[] {
    const stamps = Object.entries(project.variables).map(([name, value]) => `-X ${name}=${value}`);
    const link = ["-s -w", ...stamps, ...(project.cgo ? ["-linkmode external -extldflags -static-pie"] : [])].join(" ");
    return [
        ...command,
        "-v",
        "-mod=readonly",
        ...more,
        "-trimpath",
        "-buildvcs=false",
        ...(project.cgo ? ["-buildmode=pie"] : []),
        `-p=${parallelism()}`,
        ...tagArguments(project),
        // The linker leaves it out anyway, and it is a twentieth of the compiler's work.
        "-gcflags=all=-dwarf=false",
        `-ldflags=${link}`,
        "-o",
        output,
        ...packages,
    ];
}

function tagArguments({ tags }: GoProject): string[] {
    return tags.length > 0 ? [`-tags=${tags.join(",")}`] : [];
}

/** Nothing of the caller's Go settings changes what is built; where modules come from and are cached stays theirs. */
function goEnvironment(project: GoProject, temporary = ""): Record<string, string> {
    return {
        CGO_ENABLED: project.cgo ? "1" : "0",
        GOARCH: ARCHITECTURE,
        GOAMD64: "v1",
        GOEXPERIMENT: "",
        GOFLAGS: "",
        GOOS: "linux",
        GOTMPDIR: temporary,
        GOWORK: "off",
    };
}

/** How many processes a build has at a time: linking one of Kubernetes' programs takes up to about 2 GiB of memory. */
export function parallelism(): number {
    return Math.max(1, Math.min(cpus().length, Math.floor(totalmem() / (2 * 1024 ** 3))));
}
