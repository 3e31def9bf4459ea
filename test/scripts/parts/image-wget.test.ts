import { spawnSync } from "node:child_process";
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readRecipe } from "../../../scripts/parts/recipe";
import { temporaryDirectory } from "../../support/bash";

const WGET = join(__dirname, "../../../scripts/parts/images/base/usr/bin/wget");
const directory = temporaryDirectory();
afterAll(directory.remove);

/** Plays busybox: tells what it is called with, and how timeout(1) ended the rest where that is told. */
beforeAll(() => {
    const busybox = `#!/bin/sh
[ -z "\${CODE:-}" ] || exit "$CODE"
if [ "$1" = timeout ]; then printf '%ss ' "$2"; shift 3; fi
printf '[%s]' "$@"
`;
    writeFileSync(join(directory.path, "busybox"), busybox, { mode: 0o755 });
});

function wget(words: readonly string[], environment: NodeJS.ProcessEnv = {}): ReturnType<typeof spawnSync> {
    return spawnSync("/bin/sh", [WGET, ...words], {
        encoding: "utf8",
        env: { PATH: `${directory.path}:/usr/bin:/bin`, ...environment },
    });
}

test.each<[readonly string[], string]>([
    [["-qO-", "-T", "3", "http://x"], "3s [wget][-qO-][http://x]"],
    [["-T3", "-O", "-", "http://x"], "3s [wget][-O][-][http://x]"],
    [["-qT", "3", "-O-", "http://x"], "3s [wget][-q][-O-][http://x]"],
    [["--timeout=5", "http://x", "-q"], "5s [wget][http://x][-q]"],
    [["--timeout", "5", "-U", "a b", "--", "-T", "3"], "5s [wget][-U][a b][--][-T][3]"],
    [["-O", "a b", "-T", "2", "http://x/y z"], "2s [wget][-O][a b][http://x/y z]"],
    [["-q", "-O", "-T", "http://x"], "[wget][-q][-O][-T][http://x]"],
    [["--spider", "http://x"], "[wget][--spider][http://x]"],
])("wget of the images takes the timeout out of %p", (words, called) => {
    expect(wget(words)).toMatchObject({ status: 0, stdout: called });
});

test("what takes too long fails as wget does, and all else with wget's own code", () => {
    expect(wget(["-T", "1", "http://x"], { CODE: "143" })).toMatchObject({
        status: 1,
        stderr: "wget: download timed out\n",
    });
    expect(wget(["-T", "1", "http://x"], { CODE: "8" }).status).toBe(8);
    expect(wget(["http://x"], { CODE: "4" }).status).toBe(4);
});

test("the images have it in busybox's place, and a shell that runs the image's own programs", () => {
    expect(statSync(WGET).mode & 0o111).toBe(0o111);
    const { base } = readRecipe().layers;
    expect(base?.applets.split(/\s+/)).not.toEqual(expect.arrayContaining(["wget"]));
    expect(base?.applets.split(/\s+/)).not.toEqual(expect.arrayContaining(["sh"]));
    expect(base?.links).toMatchObject({ "usr/bin/sh": "dash" });
});
