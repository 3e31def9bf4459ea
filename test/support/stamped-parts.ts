import { readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { PartsDirectory } from "../../scripts/parts";
import { makeParent } from "../../scripts/parts/build/step";
import { PARTS_TIME, sha256OfFile } from "../../scripts/parts/verify";
import { otherParts } from "./other-parts";

/** The programs that have Kubernetes' version stamp. */
const STAMPED = /^bin\/kube(ctl|let|-apiserver|-controller-manager|-proxy|-scheduler)$/;

/**
 * The usual parts, with Kubernetes programs that say that they are of another version: the same code, whose stamp has other digits. With
 * them a rollout is real, though the version isn't.
 *
 * @param version of Kubernetes, as long as the pinned one: `1.36.2`.
 */
export function stampedParts(version: string): Promise<PartsDirectory> {
    return otherParts({ kubernetes: version }, async (file, usual, incoming) => {
        if (!STAMPED.test(file.path)) {
            return undefined;
        }
        const stamp = Buffer.from(`v${usual.manifest.versions["kubernetes"] ?? ""}`);
        if (stamp.length !== version.length + 1) {
            throw new Error(`${version} is longer or shorter than the stamp ${stamp.toString()}`);
        }
        const program = readFileSync(join(usual.path, file.path));
        if (replaceAll(program, stamp, Buffer.from(`v${version}`)) === 0) {
            throw new Error(`${file.path} has no stamp ${stamp.toString()}`);
        }
        const path = join(incoming, file.path);
        makeParent(path);
        writeFileSync(path, program, { mode: parseInt(file.mode, 8) });
        utimesSync(path, PARTS_TIME, PARTS_TIME);
        return { ...file, sha256: await sha256OfFile(path) };
    });
}

/** @returns how often it was there. */
function replaceAll(bytes: Buffer, from: Buffer, to: Buffer): number {
    let count = 0;
    for (let at = bytes.indexOf(from); at >= 0; at = bytes.indexOf(from, at + from.length)) {
        to.copy(bytes, at);
        count += 1;
    }
    return count;
}
