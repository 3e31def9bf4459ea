import { mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { run } from "../commands";
import { KERNEL_IN_TREE, makeImageOf } from "./image-tree";

/**
 * Makes an image out of an archive of the packages' files, as root of a user namespace, who alone can give files to others and take them
 * away: `image-in-namespace.ts ARCHIVE DIRECTORY`. Each step is a line on standard output.
 */
function main([archive = "", directory = ""]: readonly string[]): void {
    const [root, kernel] = ["tree", "kernel"].map((name) => join(dirname(directory), name)) as [string, string];
    mkdirSync(root);
    // Devices can't be made here; a machine makes its own.
    run("tar", ["--extract", "--numeric-owner", "--exclude=./dev/*", "--file", archive, "--directory", root]);
    renameSync(join(root, KERNEL_IN_TREE), kernel);
    try {
        makeImageOf(root, kernel, directory, (line) => {
            console.log(line);
        });
    } finally {
        [root, kernel, archive].forEach((path) => {
            rmSync(path, { recursive: true, force: true });
        });
    }
}

main(process.argv.slice(2));
