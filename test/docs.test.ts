import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { Command } from "commander";
import { CONFIG_KEYS } from "../components/cluster-spec/schema";

const REPOSITORY = join(__dirname, "..");
const read = (file: string): string => readFileSync(join(REPOSITORY, file), "utf8");

/** Every page that a reader is led to. */
const PAGES = [
    ...["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"],
    ...["docs", "examples"].flatMap((folder) =>
        readdirSync(join(REPOSITORY, folder), { recursive: true, encoding: "utf8" })
            .filter((file) => file.endsWith(".md") && !file.includes("node_modules"))
            .map((file) => join(folder, file)),
    ),
];

const WIDTH = 120;

test("there are pages to check", () => {
    expect(PAGES.length).toBeGreaterThan(20);
    expect(PAGES).toContain("docs/architecture.md");
});

test("README has 120 lines at most", () => {
    expect(read("README.md").trimEnd().split("\n").length).toBeLessThanOrEqual(120);
});

test.each(PAGES)("no line of %s is longer than 120 columns", (page) => {
    const long = read(page)
        .split("\n")
        .flatMap((line, index) => ([...line].length > WIDTH ? [`${page}:${index + 1}`] : []));
    expect(long).toEqual([]);
});

/** The text without what is in code blocks. */
function prose(page: string): string {
    return read(page).replace(/^( *)```[^]*?^\1```$/gm, "");
}

/** As GitHub makes an anchor of a heading. */
function anchor(heading: string): string {
    return heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, "")
        .trim()
        .replace(/ /g, "-");
}

function anchorsOf(page: string): string[] {
    return [...prose(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) => anchor(heading));
}

test.each(PAGES)("the links of %s lead to files and headings that are there", (page) => {
    const links = [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link);
    const broken = links
        .filter((link) => !/^(https?|mailto):/.test(link))
        .filter((link) => {
            const [path = "", heading] = link.split("#");
            const target = path === "" ? page : relative(REPOSITORY, join(REPOSITORY, dirname(page), path));
            const found = existsSync(join(REPOSITORY, target));
            return !found || (heading !== undefined && !anchorsOf(target).includes(heading));
        });
    expect(broken).toEqual([]);
});

/** What is between backticks, outside code blocks. */
function codeSpans(page: string): string[] {
    return [...prose(page).matchAll(/`([^`]+)`/g)].map(([, span = ""]) => span.replace(/\s+/g, " "));
}

test.each(PAGES)("the files of this repository that %s names are there", (page) => {
    const paths = codeSpans(page).filter((span) => /^(components|docs|examples|scripts|test)\/[\w./-]+$/.test(span));
    expect(paths.filter((path) => !existsSync(join(REPOSITORY, path)))).toEqual([]);
});

/** Names with the project's prefix that are no keys of the config: tags on AWS, users and groups in certificates. */
const NO_KEYS = ["stack", "lab", "admin", "super-admin", "cluster-admins", "kube-proxies", "node-approver"];

test.each(PAGES)("the config keys that %s names are there", (page) => {
    const named = [...read(page).matchAll(/\bkubelab:([A-Za-z][\w-]*)(?![\w:-])/g)].map(([, key = ""]) => key);
    const known: readonly string[] = [...CONFIG_KEYS, ...NO_KEYS];
    expect(named.filter((key) => !known.includes(key))).toEqual([]);
});

/** The command line that a program parses when it is loaded; it is caught there, so nothing runs. */
async function programOf(load: () => Promise<unknown>): Promise<Command> {
    const parse = jest.spyOn(Command.prototype, "parseAsync").mockImplementation(function (this: Command) {
        return Promise.resolve(this);
    });
    await load();
    const program = parse.mock.contexts.at(-1) as Command;
    parse.mockRestore();
    return program;
}

let lab: Command;
let parts: Command;

beforeAll(async () => {
    lab = await programOf(() => import("../scripts/cli/main"));
    parts = await programOf(() => import("../scripts/parts/main"));
});

/** Commands in code blocks and in code spans: `scripts/lab up --stack cni`, with the words after it as a shell reads them. */
function commandLines(page: string): string[][] {
    const text = read(page);
    const blocks = [...text.matchAll(/^( *)```\w*\n([^]*?)^\1```$/gm)].flatMap(([, , block = ""]) =>
        block.replace(/\\\n/g, " ").split("\n"),
    );
    const spans = [...text.replace(/^( *)```[^]*?^\1```$/gm, "").matchAll(/`([^`]+)`/g)].map(([, span = ""]) => span);
    return [...blocks, ...spans]
        .flatMap((line) => [...line.matchAll(/(?:^|[\s('])(?:\.\/)?scripts\/lab (.*)/g)].map(([, rest = ""]) => rest))
        .map(
            (rest) =>
                rest.replace(/ #.*$/, "").match(/"[^"]*"|'[^']*'|\$\([^)]*\)|[^\s"']+(?:'[^']*'|"[^"]*")?/g) ?? [],
        );
}

/** What is wrong with the words of a command line; undefined where the program takes them. */
function mistake(program: Command, [name = "", ...words]: readonly string[]): string | undefined {
    if (name.startsWith("-")) {
        return name === "--help" ? undefined : `no option ${name}`;
    }
    const command = program.commands.find((each) => each.name() === name.replace(/[,;:.]$/, ""));
    if (command === undefined) {
        return `no command ${name}`;
    }
    if (program === lab && name === "parts") {
        // Its own option comes before the other program's command.
        const rest = command.options.some(({ long }) => long === words[0]) ? words.slice(2) : words;
        return rest[0] === undefined || rest[0].startsWith("…") ? undefined : mistake(parts, rest);
    }
    for (let at = 0; at < words.length; at++) {
        const word = words[at] ?? "";
        if (word === "--" || (!word.startsWith("-") && PASSES_ON.has(name))) {
            return undefined;
        }
        const [flag] = word.split("=");
        if (!word.startsWith("-") || flag === "--help") {
            continue;
        }
        const option = command.options.find(({ long, short }) => long === flag || short === flag);
        if (option === undefined) {
            // Another program's options follow.
            return PASSES_ON.has(name) ? undefined : `${name} has no option ${flag}`;
        }
        at += (option.required || option.optional) && !word.includes("=") ? 1 : 0;
    }
    return undefined;
}

/** Commands whose arguments are another program's. */
const PASSES_ON = new Set(["kubectl", "ssh", "pulumi"]);

test.each(PAGES)("the commands of scripts/lab in %s are there, with their options", (page) => {
    const mistakes = commandLines(page).flatMap((words) => {
        const wrong = mistake(lab, words);
        return wrong === undefined ? [] : [`scripts/lab ${words.join(" ")}: ${wrong}`];
    });
    expect(mistakes).toEqual([]);
});

test("README shows how to bring a lab up and how to test", () => {
    const lines = commandLines("README.md").map((words) => words.join(" "));
    expect(lines).toEqual(expect.arrayContaining(["up", "test"]));
});

test("a command or an option that isn't there is found", () => {
    expect(mistake(lab, ["upp"])).toBe("no command upp");
    expect(mistake(lab, ["up", "--nowhere"])).toBe("up has no option --nowhere");
    expect(mistake(lab, ["up", "--config", "--nowhere"])).toBeUndefined();
    expect(mistake(lab, ["ssh", "worker-1", "--", "ls", "--nowhere"])).toBeUndefined();
    expect(mistake(lab, ["parts", "get", "--nowhere"])).toBe("get has no option --nowhere");
});

test("every command of scripts/lab is named in docs/commands.md", () => {
    const named = new Set(commandLines("docs/commands.md").map(([name]) => name));
    expect(lab.commands.map((each) => each.name()).filter((name) => !named.has(name))).toEqual([]);
});
