import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { EXTRAS, type Extra } from "./extras";
import { RECIPE_DIRECTORY } from "./recipe-digest";

/** The extras that something belongs to; missing where every cluster needs it. */
const neededBy = z.array(z.enum(EXTRAS)).min(1).optional();

const programPath = z.string().regex(/^(bin|cni|image)\/[a-z0-9.-]+$/);

const GoProject = z.strictObject({
    neededBy,
    name: z.string(),
    /** Directory below go/ that has its go.mod, where that isn't its name. */
    modules: z.string().optional(),
    /** Seconds of one core that its build takes where nothing is compiled yet; they say how long a build still takes. */
    cpuSeconds: z.number().positive(),
    /** The upstream module that carries the version. */
    module: z.string(),
    /** Key of `versions`. */
    version: z.string(),
    /** Whether it needs a C compiler and libseccomp. */
    cgo: z.boolean().default(false),
    tags: z.array(z.string()).default([]),
    variables: z.record(z.string(), z.string()).default({}),
    /** Packages that a file of the module doesn't import here: path in the module to import paths. */
    withoutImports: z.record(z.string(), z.array(z.string())).optional(),
    /** Files of the module that are others here: path in the module to the name of the other one, beside go.mod. */
    replacedFiles: z.record(z.string(), z.string()).optional(),
    /** Path in the parts directory, or below image/, to Go package. */
    programs: z.record(programPath, z.string()),
    /** The same of test binaries: of what `go test` would run. */
    tests: z.record(programPath, z.string()).optional(),
});

const Layer = z.strictObject({
    /** The layer that this one lies on in every image: what is the same there is left out here. */
    on: z.string().optional(),
    /** Go programs: path in the image to path in `programs`. */
    programs: z.record(z.string(), z.string()).default({}),
    /** Of programs, where it isn't 755: setuid, say. */
    modes: z.record(z.string(), z.string().regex(/^[0-7]{3,4}$/)).optional(),
    /** Files that have these file capabilities, as in `setcap cap_net_bind_service=+ep`. */
    capabilities: z.record(z.string(), z.enum(["cap_net_bind_service"])).default({}),
    /** Debian packages that this layer takes its files from, in place of `debianPackages`. */
    packages: z.array(z.string()).min(1).optional(),
    /** Files and directories out of the Debian packages; the libraries that programs load come along. */
    debian: z.array(z.string()).default([]),
    /** Upstream's C pause program at this path. */
    pause: z.string().optional(),
    /** Files out of a Go module's source: path in the image to path in the module. */
    source: z.record(z.string(), z.string()).default({}),
    /** A directory below images/, copied to the image's root. */
    files: z.string().optional(),
    /** Path of the bundle of the certificate authorities in Debian's ca-certificates. */
    certificates: z.string().optional(),
    /** busybox applets linked into /bin, with spaces between their names. */
    applets: z.string().default(""),
    /** Path to mode and, where it isn't root, owner: `tmp: "1777"`, `home/me: 755 100:101`. */
    directories: z.record(z.string(), z.string().regex(/^[0-7]{3,4}( \d+:\d+)?$/)).default({}),
    /** Path to the target of a symbolic link. */
    links: z.record(z.string(), z.string()).default({}),
});

const Image = z.strictObject({
    neededBy,
    file: z.string().regex(/^[a-z0-9-]+\.tar$/),
    name: z.string(),
    /** Names of `layers`, lowest first. */
    layers: z.array(z.string()).min(1),
    user: z.string().default(""),
    workingDirectory: z.string().default("/"),
    entrypoint: z.array(z.string()).default([]),
    command: z.array(z.string()).default([]),
    ports: z.array(z.string().regex(/^\d+\/(tcp|udp)$/)).default([]),
    stopSignal: z.string().optional(),
});

const Recipe = z.strictObject({
    versions: z.record(z.string(), z.string()),
    format: z.number(),
    projects: z.array(GoProject),
    debianPackages: z.array(z.string()),
    layers: z.record(z.string(), Layer),
    images: z.array(Image),
});

export type GoProject = z.infer<typeof GoProject>;
export type LayerRecipe = z.infer<typeof Layer>;
export type ImageRecipe = z.infer<typeof Image>;
export type Recipe = z.infer<typeof Recipe>;

/**
 * parts.yaml and images.yaml, with the versions put in.
 *
 * @throws ZodError where they aren't of their form.
 */
export function readRecipe(directory: string = RECIPE_DIRECTORY): Recipe {
    const read = (name: string): object => parse(readFileSync(join(directory, name), "utf8")) as object;
    const raw = { ...read("parts.yaml"), ...read("images.yaml") };
    const { versions } = z.looseObject({ versions: Recipe.shape.versions }).parse(raw);
    return Recipe.parse({ ...(withVersions(raw, versions) as object), versions });
}

/** The recipe of what every cluster needs, and of these extras. */
export function selectParts(recipe: Recipe, extras: readonly Extra[]): Recipe {
    const isWanted = (part: { readonly neededBy?: readonly Extra[] | undefined }): boolean =>
        part.neededBy?.some((extra) => extras.includes(extra)) ?? true;
    return { ...recipe, projects: recipe.projects.filter(isWanted), images: recipe.images.filter(isWanted) };
}

/** Paths in the parts directory of what these extras bring. */
export function extraPaths(extras: readonly Extra[]): string[] {
    const recipe = readRecipe();
    const pathsOf = ({ projects, images }: Recipe): string[] => [
        ...projects.flatMap(({ programs, tests }) =>
            Object.keys({ ...programs, ...tests }).filter((path) => !path.startsWith("image/")),
        ),
        ...images.map(({ file }) => `images/${file}`),
    ];
    const common = new Set(pathsOf(selectParts(recipe, [])));
    return pathsOf(selectParts(recipe, extras)).filter((path) => !common.has(path));
}

/** Puts the versions in place of `{part}`, `{part.major}` and `{part.minor}` in all texts of a value. */
function withVersions(value: unknown, versions: Readonly<Record<string, string>>): unknown {
    if (typeof value === "string") {
        return value.replace(/\{([A-Za-z]+)(?:\.(major|minor))?\}/g, (whole, part: string, place?: string) => {
            const version = versions[part];
            if (version === undefined) {
                throw new Error(`${whole}: versions has no ${part}`);
            }
            const [major, minor] = version.split(".");
            return (place === undefined ? version : place === "major" ? major : minor) ?? "";
        });
    }
    if (Array.isArray(value)) {
        return value.map((each) => withVersions(each, versions));
    }
    if (typeof value === "object" && value !== null) {
        return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withVersions(each, versions)]));
    }
    return value;
}
