import { givenPath } from "../support/working-directory";

/** Options of the CLI that take a path. It runs in the project's directory, wherever the user stands. */
const PATH_OPTIONS = new Set(["--file", "--out", "--plan", "--save-plan", "--policy-pack", "--policy-pack-config"]);

/** The words with the paths that options have made absolute. */
export function absolutePaths(words: readonly string[]): string[] {
    return words.map((word, index) => {
        const [option = "", ...value] = word.split("=");
        if (value.length > 0 && PATH_OPTIONS.has(option)) {
            return `${option}=${givenPath(value.join("="))}`;
        }
        return PATH_OPTIONS.has(words[index - 1] ?? "") ? givenPath(word) : word;
    });
}
