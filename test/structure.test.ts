import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { preProcessFile } from "typescript";

const REPOSITORY = join(__dirname, "..");
const FOLDERS = ["components", "scripts", "test/support"];

/** By file, what it imports of the others, types and values alike. */
type Imports = ReadonlyMap<string, readonly string[]>;

function readImports(): Imports {
    const files = FOLDERS.flatMap((folder) =>
        readdirSync(join(REPOSITORY, folder), { recursive: true, encoding: "utf8" })
            .filter((file) => /\.tsx?$/.test(file))
            .map((file) => join(folder, file)),
    );
    return new Map(["index.ts", ...files].map((file) => [file, importsOf(file)]));
}

function importsOf(file: string): string[] {
    const { importedFiles } = preProcessFile(readFileSync(join(REPOSITORY, file), "utf8"), true, true);
    return importedFiles
        .filter(({ fileName }) => fileName.startsWith("."))
        .map(({ fileName }) => {
            const path = join(dirname(join(REPOSITORY, file)), fileName);
            const found =
                [`${path}.ts`, `${path}.tsx`, join(path, "index.ts"), path].find((each) => existsSync(each)) ?? path;
            return relative(REPOSITORY, found);
        });
}

/** One circle through each file that an import leads back from to one before it: `a.ts → b.ts → a.ts`. */
function circles(imports: Imports): string[] {
    const found: string[] = [];
    const finished = new Set<string>();
    const visit = (file: string, way: readonly string[]): void => {
        if (way.includes(file)) {
            found.push([...way.slice(way.indexOf(file)), file].join(" → "));
        } else if (!finished.has(file)) {
            imports.get(file)?.forEach((next) => visit(next, [...way, file]));
            finished.add(file);
        }
    };
    [...imports.keys()].forEach((file) => visit(file, []));
    return found;
}

/** Imports between the files that `from` and `to` match. */
function importsBetween(imports: Imports, from: RegExp, to: RegExp): string[] {
    return [...imports]
        .filter(([file]) => from.test(file))
        .flatMap(([file, imported]) => imported.filter((each) => to.test(each)).map((each) => `${file} → ${each}`));
}

const imports = readImports();

describe("the files of components, scripts and the tests' support", () => {
    test("import each other without a circle", () => {
        expect(circles(imports)).toEqual([]);
    });

    test("import files that are there", () => {
        const missing = ([file, imported]: readonly [string, readonly string[]]): string[] =>
            imported.filter((each) => !existsSync(join(REPOSITORY, each))).map((each) => `${file} → ${each}`);
        expect([...imports].flatMap(missing)).toEqual([]);
    });

    test("are many, and are found to import each other", () => {
        expect(imports.size).toBeGreaterThan(200);
        expect(imports.get("index.ts")).toContain("components/index.ts");
    });
});

describe("a driver's contract", () => {
    test("is all that components know of scripts", () => {
        expect(importsBetween(imports, /^components\//, /^scripts\/(?!\w+\/contract\.ts$)/)).toEqual([]);
    });

    test("needs no component", () => {
        expect(importsBetween(imports, /^scripts\/\w+\/contract\.ts$/, /^components\//)).toEqual([]);
    });
});

test("nothing but tests imports their support", () => {
    expect(importsBetween(imports, /^(index\.ts|components|scripts)/, /^test\//)).toEqual([]);
});

test("a circle is named by its files, once", () => {
    const graph = new Map([
        ["a", ["b", "d"]],
        ["b", ["c"]],
        ["c", ["a", "d"]],
        ["d", []],
        ["e", ["e"]],
    ]);
    expect(circles(graph)).toEqual(["a → b → c → a", "e → e"]);
});
