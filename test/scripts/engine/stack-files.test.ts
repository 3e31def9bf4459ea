import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { readProject } from "../../../scripts/engine/project";
import { StackFiles } from "../../../scripts/engine/stack-files";

let repository: string;
const environment = { ...process.env };
beforeEach(() => {
    repository = mkdtempSync(join(tmpdir(), "stack-files-"));
    for (const name of ["PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"]) {
        delete process.env[name];
    }
    process.env["PULUMI_HOME"] = join(repository, "home");
    write(
        "Pulumi.yaml",
        [
            "name: sample",
            "runtime: nodejs",
            "config:",
            "    sample:workers: { type: integer, default: 2 }",
            '    sample:name: { type: string, default: "" }',
            "    sample:local: { default: {} }",
        ].join("\n"),
    );
    write("Pulumi.test.yaml", TRACKED);
});
afterEach(() => {
    process.env = { ...environment };
    rmSync(repository, { recursive: true, force: true });
});

const TRACKED = "config:\n    workers: 1\n    sample:name: '007'\n    other:thing: [a, b]\n";

const write = (name: string, content: string): void => writeFileSync(join(repository, name), content);
const mode = (path: string): number => statSync(path).mode & 0o777;

function files(): StackFiles {
    const made = new StackFiles(repository, readProject(repository), "test");
    made.prepare();
    return made;
}

function written(overrides: Readonly<Record<string, string>> = {}): unknown {
    const made = files();
    made.writeConfig(overrides);
    return parse(readFileSync(made.configFile, "utf8"));
}

test("the CLI gets a copy of the stack file with full keys, that nobody else reads; the tracked file stays as it is", () => {
    expect(written()).toEqual({
        config: { "sample:workers": 1, "sample:name": "007", "other:thing": ["a", "b"] },
    });
    expect(mode(files().configFile)).toBe(0o600);
    expect(readFileSync(join(repository, "Pulumi.test.yaml"), "utf8")).toBe(TRACKED);
});

test("overrides win, with the type that the project declares, and are gone the next time", () => {
    const overrides = {
        workers: "3",
        "sample:name": "5",
        "sample:local": '{"network": "10.0.0.0/24"}',
        "sample:undeclared": "12",
    };
    expect(written(overrides)).toEqual({
        config: {
            "sample:workers": 3,
            "sample:name": "5",
            "sample:local": { network: "10.0.0.0/24" },
            "sample:undeclared": "12",
            "other:thing": ["a", "b"],
        },
    });
    expect(files().configured("workers")).toBe(3);
    expect(written()).toEqual({
        config: { "sample:workers": 1, "sample:name": "007", "other:thing": ["a", "b"] },
    });
});

test("the salt that the CLI wrote into the copy is kept, and nothing else of it", () => {
    writeFileSync(files().configFile, "encryptionsalt: v1:abc\nconfig:\n    sample:gone: 1\n");
    expect(written()).toMatchObject({ encryptionsalt: "v1:abc" });
    expect(written()).not.toHaveProperty("config.sample:gone");
});

test("a stack without a file of its own has the overrides alone", () => {
    rmSync(join(repository, "Pulumi.test.yaml"));
    expect(written({ workers: "3" })).toEqual({ config: { "sample:workers": 3 } });
});

test("state and a random passphrase are kept in the repository, for this user only", () => {
    const made = files();
    const passphraseFile = join(repository, ".kubelab/test/passphrase");
    expect(made.environment()).toEqual({
        PULUMI_BACKEND_URL: `file://${repository}/.kubelab/pulumi?metadata=skip`,
        PULUMI_CONFIG_PASSPHRASE_FILE: passphraseFile,
    });
    expect(made.stateFile()).toBe(join(repository, ".kubelab/pulumi/.pulumi/stacks/sample/test.json"));
    const passphrase = readFileSync(passphraseFile, "utf8");
    expect(passphrase.trim().length).toBeGreaterThan(40);
    expect([mode(passphraseFile), mode(made.directory)]).toEqual([0o600, 0o700]);
    files();
    expect(readFileSync(passphraseFile, "utf8")).toBe(passphrase);
});

test("a backend and a passphrase that the user has chosen are left alone", () => {
    process.env["PULUMI_BACKEND_URL"] = "s3://bucket";
    process.env["PULUMI_CONFIG_PASSPHRASE"] = "";
    const made = files();
    expect([made.environment(), made.backend, made.stateFile()]).toEqual([{}, undefined, undefined]);
    expect(existsSync(join(made.directory, "passphrase"))).toBe(false);
});

test("`pulumi login` has chosen the backend, and `pulumi logout` takes the choice back", () => {
    const login = (current: string): void => {
        write("credentials.json", JSON.stringify({ current }));
        process.env["PULUMI_HOME"] = repository;
    };
    login("https://api.pulumi.com");
    expect(files().backend).toBeUndefined();
    login("");
    expect(files().backend).toBe(join(repository, ".kubelab/pulumi"));
});
