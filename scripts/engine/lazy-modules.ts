import { createRequire } from "node:module";

/**
 * Packages that `@pulumi/pulumi` loads at its start and calls only to serialize functions for the cloud, which nothing here does:
 * the TypeScript compiler and npm's dependency solver. Together they are four fifths of its loading time.
 */
const RARELY_USED = ["typescript", "@npmcli/arborist"];

/** Defers loading of these packages to their first use. Loaded ones stay. */
export function loadRarelyUsedLate(): void {
    const load = createRequire(require.resolve("@pulumi/pulumi/package.json"));
    for (const name of RARELY_USED) {
        const file = load.resolve(name);
        if (load.cache[file] === undefined) {
            load.cache[file] = standIn(file, () => {
                delete load.cache[file];
                return load(file) as object;
            });
        }
    }
}

/** A loaded module as far as `require` knows, which loads the real one when it is asked for anything. */
function standIn(file: string, load: () => object): NodeJS.Module {
    let real: object | undefined;
    const exports: unknown = new Proxy(
        {},
        {
            // `import * as` copies all that a module without this mark has.
            get: (_, key): unknown => key === "__esModule" || Reflect.get((real ??= load()), key),
            has: (_, key) => Reflect.has((real ??= load()), key),
        },
    );
    const module = { id: file, filename: file, path: file, loaded: true, exports, children: [], paths: [] };
    return { ...module, parent: undefined, isPreloading: false, require: createRequire(file) };
}

loadRarelyUsedLate();
