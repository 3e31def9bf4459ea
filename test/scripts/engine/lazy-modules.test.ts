import { spawnSync } from "node:child_process";
import { repositoryRoot } from "../../../scripts/support/paths";

/** Answers of a process of its own: jest has its own idea of what is loaded. */
function inProcess(program: string): unknown {
    const { stdout, stderr } = spawnSync(process.execPath, ["--require", "tsx/cjs", "--eval", program], {
        cwd: repositoryRoot(),
        encoding: "utf8",
    });
    if (stdout === "") {
        throw new Error(stderr);
    }
    return JSON.parse(stdout);
}

const loaded = `Object.keys(require.cache).filter((file) => /node_modules.(pacote|@npmcli)/.test(file)).length`;

test("the SDK comes without npm's solver and the TypeScript compiler, which are there once they are asked for", () => {
    const program = `
        require("./scripts/engine/lazy-modules");
        const pulumi = require("@pulumi/pulumi");
        const before = ${loaded};
        const compiler = typeof require("typescript").createSourceFile;
        const solver = new (require("@npmcli/arborist").Arborist)({ path: process.cwd() }).constructor.name;
        console.log(JSON.stringify({ output: typeof pulumi.output, before, compiler, solver, after: ${loaded} > 50 }));
    `;
    expect(inProcess(program)).toEqual({
        output: "function",
        before: 1,
        compiler: "function",
        solver: "Arborist",
        after: true,
    });
}, 30_000);

test("a function is serialized all the same", () => {
    const program = `
        require("./scripts/engine/lazy-modules");
        const pulumi = require("@pulumi/pulumi");
        pulumi.runtime.serializeFunction(() => 42).then(({ text }) => console.log(JSON.stringify(text.includes("42"))));
    `;
    expect(inProcess(program)).toBe(true);
}, 30_000);
