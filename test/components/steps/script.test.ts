import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { put, quote } from "../../../components/steps/script";
import { bash, temporaryDirectory, wholeScript } from "../../support/bash";

const directory = temporaryDirectory();
afterAll(directory.remove);

const owner = bash("id -un; id -gn").stdout.trim().replace("\n", ":");
/** Text without NUL, which neither an argument nor a variable of bash can hold. */
const character = fc.oneof(
    fc.constantFrom(...`'"\\$\`!*?~#;&|<>(){}[] \n\t-`),
    fc.string({ unit: "binary", maxLength: 1 }),
);
const text = fc
    .array(character, { maxLength: 12 })
    .map((parts) => Buffer.from(parts.join("").replaceAll("\0", ""), "utf8").toString("utf8"));

test("a quoted word is the same word after bash has read it", () => {
    fc.assert(
        fc.property(fc.array(text, { minLength: 1, maxLength: 30 }), (words) => {
            const { stdout } = bash(`printf '%s\\0' ${words.map(quote).join(" ")}`);
            expect(stdout.split("\0").slice(0, -1)).toEqual(words);
        }),
        { numRuns: 30 },
    );
});

test("a word without anything special is left as it is", () => {
    expect(["/etc/kubernetes/ca.crt", "root:root", "10.0.0.0/8", "a=b"].map(quote)).toEqual([
        "/etc/kubernetes/ca.crt",
        "root:root",
        "10.0.0.0/8",
        "a=b",
    ]);
    expect(["", "a b", "$HOME", "it's", "*", "~"].map(quote)).toEqual([
        "''",
        "'a b'",
        "'$HOME'",
        `'it'\\''s'`,
        "'*'",
        "'~'",
    ]);
});

describe("a file that a step writes", () => {
    test("has the content to the byte, with a line break at its end", () => {
        let number = 0;
        fc.assert(
            fc.property(fc.array(text, { minLength: 1, maxLength: 5 }), (contents) => {
                const files = contents.map((content) => {
                    number += 1;
                    return { path: join(directory.path, `file ${number}`), content, owner };
                });
                expect(bash(wholeScript({ create: files.map(put) }), ["create"])).toEqual({
                    status: 0,
                    stdout: "",
                    stderr: "",
                });
                for (const { path, content } of files) {
                    expect(readFileSync(path, "utf8")).toBe(content.endsWith("\n") ? content : `${content}\n`);
                }
            }),
            { numRuns: 20 },
        );
    });

    test("is world-readable only where nothing else was asked for", () => {
        const [open, closed] = ["open", "closed"].map((name) => join(directory.path, "mode", name));
        const create = [
            put({ path: String(open), content: "x", owner }),
            put({ path: String(closed), content: "x", owner, mode: "0400" }),
        ];
        expect(bash(wholeScript({ create }), ["create"]).stderr).toBe("");
        expect((statSync(String(open)).mode & 0o777).toString(8)).toBe("644");
        expect((statSync(String(closed)).mode & 0o777).toString(8)).toBe("400");
    });

    test("that would end its own here-document is refused", () => {
        expect(() => put({ path: "/x", content: "a\nKUBELAB_END_OF_FILE\nrm -rf /" })).toThrow(
            "/x: the content holds the line KUBELAB_END_OF_FILE",
        );
    });
});

describe("a script", () => {
    test("does what its argument says", () => {
        const script = wholeScript({ create: ["echo made"], delete: ["echo gone"] });
        expect(bash(script, ["create"]).stdout).toBe("made\n");
        expect(bash(script, ["delete"]).stdout).toBe("gone\n");
    });

    test("without anything to undo does nothing on delete", () => {
        expect(bash(wholeScript({ create: ["exit 1"] }), ["delete"])).toEqual({ status: 0, stdout: "", stderr: "" });
    });

    test("isn't swallowed by a statement that reads standard input", () => {
        const script = wholeScript({ create: ["cat", "read -r line || true", "echo after"] });
        expect(bash(script, ["create"]).stdout).toBe("after\n");
    });

    test("that was cut off on its way does nothing at all", () => {
        const script = wholeScript({ create: ["echo half"] });
        for (const length of [0.2, 0.5, 0.9, 0.99].map((part) => Math.floor(script.length * part))) {
            expect(bash(script.slice(0, length), ["create"]).stdout).toBe("");
        }
    });

    test("ends at the first statement that fails, and says so by its exit status", () => {
        const script = wholeScript({ create: ["false | cat", "echo went on"] });
        expect(bash(script, ["create"])).toMatchObject({ status: 1, stdout: "" });
        expect(bash(wholeScript({ create: ['echo "$unset"', "echo went on"] }), ["create"]).status).not.toBe(0);
    });

    test("shows what it does before how", () => {
        const script = wholeScript({ create: ["echo the statement"] });
        expect(script.indexOf("echo the statement")).toBeLessThan(script.indexOf("put() {"));
    });
});
