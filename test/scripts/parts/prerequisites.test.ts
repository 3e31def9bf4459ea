import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureRoom, roomForBuild } from "../../../scripts/parts/build/prerequisites";

test("a build has room where nothing is left to compile", () => {
    expect(() => ensureRoom([tmpdir(), join(tmpdir(), "not/there")], "a build", 0)).not.toThrow();
});

test("a build that needs more than a file system has free is refused with both sizes, and what to set", () => {
    const directory = join(tmpdir(), "not/there");
    expect(() => ensureRoom([directory], "the build of the parts", roomForBuild(1e9))).toThrow(
        new RegExp(`^${directory} has [\\d.]+ GiB free, and the build of the parts needs 5859375.0\\. .*KUBELAB_CACHE`),
    );
});
