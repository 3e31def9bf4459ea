import { readFileSync } from "node:fs";
import { join } from "node:path";
import { notPrinted, readCourse } from "./support/course";

const COURSE = `# A course

## Before

No commands here.

## 1. First

\`\`\`console
$ export KUBELAB_STACK=one
$ api() {
>   curl "$@"
> }
$ scripts/lab kubectl get pods
NAME   READY
web-…  1/1
\`\`\`

1. *Why?* Because.

\`\`\`console
$ scripts/lab down
\`\`\`
`;

test("a course has the commands of its parts, and what they print", () => {
    expect(readCourse(COURSE)).toEqual([
        {
            title: "1. First",
            commands: [
                { command: "export KUBELAB_STACK=one", output: [] },
                { command: 'api() {\n  curl "$@"\n}', output: [] },
                { command: "scripts/lab kubectl get pods", output: ["NAME   READY", "web-…  1/1"] },
                { command: "scripts/lab down", output: [] },
            ],
        },
    ]);
});

test("what is shown was printed, in that order, whatever the blanks are", () => {
    const printed = "NAME      READY\nclient    1/1\nweb-abc   1/1   Running\n";
    expect(notPrinted(["NAME READY", "web-… 1/1 …"], printed)).toBeUndefined();
    expect(notPrinted(["web-… 1/1"], printed)).toBe("web-… 1/1");
    expect(notPrinted(["web-…", "NAME READY"], printed)).toBe("NAME READY");
    expect(notPrinted(["…READY", "(client|web)…"], printed)).toBe("(client|web)…");
});

test("docs/course.md has six parts, each with a stack, three questions and the machines deleted at its end", () => {
    const text = readFileSync(join(__dirname, "../docs/course.md"), "utf8");
    const parts = readCourse(text);
    expect(parts).toHaveLength(6);
    for (const { title, commands } of parts) {
        const section = text.split(/^## /m).find((each) => each.startsWith(title)) ?? "";
        expect([title, section.match(/^\d\. \*[^*]+\?\*/gm)?.length]).toEqual([title, 3]);
        expect(commands[0]?.command).toMatch(/^export KUBELAB_STACK=\S+$/);
        expect(commands.at(-1)?.command).toBe("scripts/lab down");
    }
});
