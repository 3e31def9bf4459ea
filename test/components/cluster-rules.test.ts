import { scriptBody } from "../support/scripts";
import { STEP_LIBRARY } from "../../components/steps/script";
import { sshCommandLine } from "../../components/steps/ssh-command";
import { stepCommand } from "../../components/steps/step";
import { shellcheck, syntaxErrors, testWith } from "../support/bash";
import { clusterGraph, find, inputsOf, REMOTE_STEP, remoteSteps } from "../support/graph";
import { settingsIn } from "../support/machine-requests";
import { machineId, type Registration, type Run } from "../support/mocks";
import { isSecret, unwrap, withoutSecrets } from "../support/secrets";
import { testSpec } from "../support/spec";

jest.setTimeout(60_000);

const LOCAL = "command:local:Command";
const spec = testSpec({ registryMirrors: { "docker.io": ["https://mirror.example:5000"] } });
const addresses = spec.local?.addresses ?? {};
let graph: Run;
let steps: Registration[];
let pushes: Registration[];

beforeAll(async () => {
    graph = await clusterGraph(spec);
    steps = remoteSteps(graph);
    pushes = graph.resources.filter(({ name, type }) => type === LOCAL && name.endsWith("-parts"));
});

/** What is wrong with which resource: empty where the rule holds for all. */
function violations(resources: readonly Registration[], holds: (resource: Registration) => boolean): string[] {
    expect(resources.length).toBeGreaterThan(0);
    return resources.filter((resource) => !holds(resource)).map(({ name }) => name);
}

function machineOf(step: Registration): string {
    const { host } = inputsOf(step).connection;
    const name = Object.keys(addresses).find((node) => addresses[node] === host);
    if (name === undefined) {
        throw new Error(`${step.name} goes to ${String(host)}, which is no machine's address`);
    }
    return name;
}

/** The machine that a push goes to: `cp-1-control-plane-parts`, `worker-2-node-parts`. */
function receiver(push: Registration): string {
    return push.name.replace(/-(control-plane|node)-parts$/, "");
}

function vm(machine: string): string {
    return find(graph, LOCAL, machine).urn;
}

describe("every step on a machine", () => {
    test("has a component as its parent", () => {
        const components = new Set(graph.resources.filter(({ custom }) => !custom).map(({ urn }) => urn));
        expect(violations([...steps, ...pushes], ({ parent }) => components.has(parent))).toEqual([]);
    });

    test("is forgotten with its machine, without a connection to it", () => {
        expect(violations(steps, (step) => step.deletedWith === vm(machineOf(step)))).toEqual([]);
        expect(violations(pushes, (push) => vm(receiver(push)) === push.deletedWith)).toEqual([]);
    });

    test("runs again when its machine was replaced: the machine's id is in its text", () => {
        const first = (step: Registration): string | undefined => inputsOf(step).stdin.split("\n")[0];
        expect(violations(steps, (step) => first(step) === `# on ${machineId(machineOf(step))}`)).toEqual([]);
        expect(violations(pushes, (push) => first(push) === `# to ${machineId(receiver(push))}`)).toEqual([]);
    });

    test("that has to be replaced goes before it comes anew, so that it doesn't undo its successor", () => {
        expect(violations([...steps, ...pushes], ({ deleteBeforeReplace }) => deleteBeforeReplace)).toEqual([]);
    });

    test("trusts its machine's host key and no other", () => {
        const keys = steps.map((step) => [machineOf(step), inputsOf(step).connection["hostKey"]] as const);
        const perMachine = new Map(keys);
        expect(new Set(perMachine.values()).size).toBe(spec.nodes.length);
        expect(keys.filter(([machine, key]) => key !== perMachine.get(machine))).toEqual([]);
        expect(keys.filter(([, key]) => !/^ssh-ed25519 \S+$/.test(String(key)))).toEqual([]);
    });

    test("gives up dialing a machine that doesn't answer", () => {
        const bounded = ({ connection }: ReturnType<typeof inputsOf>): boolean =>
            Number(connection["dialErrorLimit"]) > 0 && Number(connection["perDialTimeout"]) > 0;
        expect(violations(steps, (step) => bounded(inputsOf(step)))).toEqual([]);
    });

    test("has a constant command line, so that no word of it is in a command, a log or an error text", () => {
        const commands = new Set(steps.flatMap((step) => [inputsOf(step).create, inputsOf(step).delete ?? ""]));
        expect([...commands].sort()).toEqual([
            "",
            ...(["create", "delete"] as const).map((each) => stepCommand({ user: "root", loginShell: "bash" }, each)),
        ]);
        const updates = [undefined, stepCommand({ user: "root", loginShell: "bash" }, "update")];
        expect(violations(steps, ({ inputs }) => updates.includes(inputs["update"] as string))).toEqual([]);
    });

    test("defines no function that the step library has: another of its functions would call the wrong one", () => {
        const functions = (text: string): string[] =>
            [...text.matchAll(/^ *(\w+)\(\) \{/gm)].map(([, name = ""]) => name);
        // Programs that it brings are read by other shells.
        const library = functions(STEP_LIBRARY.replace(/<<'(KUBELAB_PROGRAM)'[^\n]*\n.*?\n\1\n/gs, ""));
        expect(library.length).toBeGreaterThan(50);
        expect(library.filter((name, index) => library.indexOf(name) !== index)).toEqual([]);
        const redefines = (step: Registration): boolean => {
            const own = functions(inputsOf(step).stdin).filter((name) => name !== "on_create" && name !== "on_delete");
            return own.some((name) => library.includes(name));
        };
        expect(violations(steps, (step) => !redefines(step))).toEqual([]);
    });

    test("waits for its machine to be ready", () => {
        const others = steps.filter(({ name }) => !name.endsWith("-ready"));
        const ready = (step: Registration): string => find(graph, step.type, `${machineOf(step)}-ready`).urn;
        const reaches = (from: Registration, urn: string): boolean =>
            from.dependencies.some(
                (dependency) =>
                    dependency === urn || steps.some((other) => other.urn === dependency && reaches(other, urn)),
            );
        expect(violations(others, (step) => reaches(step, ready(step)))).toEqual([]);
    });
});

describe("every command", () => {
    const commands = (): Registration[] => graph.resources.filter(({ type }) => type.startsWith("command:"));

    test("gets its text on standard input and nothing through the environment", () => {
        const inputs = violations(
            commands(),
            (command) => inputsOf(command).stdin.length > 0 && command.inputs["environment"] === undefined,
        );
        expect(inputs).toEqual([]);
        expect(violations(commands(), (command) => command.inputs["addPreviousOutputInEnv"] === false)).toEqual([]);
    });

    test("on this host has a constant command line too", () => {
        const local = commands().filter(({ type }) => type === LOCAL);
        const lines = new Set(local.flatMap((command) => [inputsOf(command).create, inputsOf(command).delete ?? ""]));
        expect([...lines].sort()).toEqual([
            "",
            "bash -s -- create",
            "bash -s -- delete",
            "node --require tsx/cjs scripts/machines/main.ts machine create",
            "node --require tsx/cjs scripts/machines/main.ts machine delete",
            "node --require tsx/cjs scripts/machines/main.ts network create",
            "node --require tsx/cjs scripts/machines/main.ts network delete",
            "node --require tsx/cjs scripts/parts/main.ts get --json",
        ]);
    });
});

describe("secrets", () => {
    const secretSteps = (): Registration[] => steps.filter(({ inputs }) => isSecret(inputs["stdin"]));

    test("go in steps of their own, which are never logged", () => {
        expect(
            secretSteps()
                .map(({ name }) => name)
                .sort(),
        ).toEqual([
            ...["cp-1-kube-apiserver-secrets", "cp-1-kube-controller-manager-secrets"],
            ...["cp-1-kubelet-secrets", "worker-1-kubelet-secrets", "worker-2-kubelet-secrets"],
        ]);
        expect(violations(secretSteps(), ({ inputs }) => inputs["logging"] === "none")).toEqual([]);
    });

    test("are what those steps write, so that all other text can be read in a preview", () => {
        expect(violations(secretSteps(), (step) => holdsSecret(unwrap(step.inputs["stdin"])))).toEqual([]);
    });

    test("are in no input of any resource but those that are marked as secret", () => {
        expect(graph.secrets.length).toBeGreaterThan(15);
        expect(violations(graph.resources, ({ inputs }) => !holdsSecret(withoutSecrets(inputs)))).toEqual([]);
    });

    test("leave the stack in no output but those that are marked as secret", () => {
        expect(isSecret(graph.outputs["kubeconfig"])).toBe(true);
        expect(holdsSecret(unwrap(graph.outputs["kubeconfig"]))).toBe(true);
        expect(holdsSecret(withoutSecrets(graph.outputs))).toBe(false);
        expect(withoutSecrets(graph.outputs)).toEqual({
            kubeconfig: "[secret]",
            apiServer: "https://10.240.0.10:6443",
            nodes: [
                { name: "cp-1", role: "control-plane", address: "10.240.0.11", podCidr: "10.99.255.0/24" },
                { name: "worker-1", role: "worker", address: "10.240.0.21", podCidr: "10.99.1.0/24" },
                { name: "worker-2", role: "worker", address: "10.240.0.22", podCidr: "10.99.2.0/24" },
            ],
            sshCommands: Object.fromEntries(spec.nodes.map(({ name }) => [name, sshTo(name, String(addresses[name]))])),
        });
    });

    function sshTo(name: string, address: string): string {
        const files = { keyFile: ".kubelab/test/ssh/id_ed25519", knownHosts: ".kubelab/test/ssh/known_hosts" };
        return sshCommandLine({ machine: name, address, user: "root", ...files });
    }

    test("lie on a machine for their user's eyes only", () => {
        const files = secretSteps().flatMap((step) => [
            ...inputsOf(step).stdin.matchAll(
                /^(?:put|plan) (\S+) (\d+) (\S+) \w+ <<'KUBELAB_END_OF_FILE'\n([^]*?)\nKUBELAB_END_OF_FILE$/gm,
            ),
        ]);
        expect(files.map(([, path]) => path).sort()).toEqual([
            "/etc/kubernetes/kube-apiserver/encryption.yaml",
            "/etc/kubernetes/kube-apiserver/service-accounts.key",
            "/etc/kubernetes/kube-controller-manager/ca.key",
            "/etc/kubernetes/kube-controller-manager/service-accounts.key",
            // With its key, so that the two change at the same time.
            "/etc/kubernetes/kube-controller-manager/signing-ca.crt",
            // Of each node.
            ...Array.from({ length: 3 }, () => "/etc/kubernetes/kubelet/bootstrap-token"),
            ...Array.from({ length: 3 }, () => "/etc/kubernetes/kubelet/new-keys"),
        ]);
        const open = files.filter(([, , mode, , content]) => holdsSecret(content) && mode !== "0400");
        expect(open.map(([, path]) => path)).toEqual([]);
    });

    test("that a certificate goes with are on no machine but their own: each is copied there, for its process alone", () => {
        const keyFiles = steps.flatMap(({ name, inputs }) =>
            [...String(unwrap(inputs["stdin"])).matchAll(/^plan_copy (\S+) (\d+) (\S+) (\S+)$/gm)].map(
                ([, path = "", mode = "", owner = "", source = ""]) => ({ name, path, mode, owner, source }),
            ),
        );
        expect(keyFiles.filter(({ name }) => name.startsWith("cp-1"))).toHaveLength(14);
        expect(keyFiles.filter(({ name }) => name.startsWith("worker-1"))).toHaveLength(1);
        const asked = (machine: string): string[] =>
            Object.keys(settingsIn(inputsOf(find(graph, REMOTE_STEP, `${machine}-keys`)).stdin));
        for (const { name, path, mode, owner, source } of keyFiles) {
            const machine = spec.nodes.find((node) => name.startsWith(`${node.name}-`))?.name ?? "";
            expect(asked(machine).map((each) => `/var/lib/kubelab/keys/${each}.key`)).toContain(source);
            const process = /^\/etc\/(?:kubernetes\/)?([\w-]+)\//.exec(path)?.[1] ?? "";
            const user = [
                "etcd",
                "kube-apiserver",
                "kube-controller-manager",
                "kube-scheduler",
                "node-approver",
            ].includes(process)
                ? process
                : "root";
            expect([path, mode, owner]).toEqual([path, "0400", `${user}:${user}`]);
        }
    });

    /** Whether a secret, or its base64 form as in a kubeconfig, is anywhere in the value. */
    function holdsSecret(value: unknown): boolean {
        const text = JSON.stringify(value);
        return graph.secrets.some((secret) => {
            const body = secret.split("\n").find((line) => !line.startsWith("-----") && line !== "") ?? secret;
            return (
                text.includes(JSON.stringify(body).slice(1, -1)) ||
                text.includes(Buffer.from(secret).toString("base64"))
            );
        });
    }
});

describe("the text of the steps", () => {
    const texts = (): Record<string, string> =>
        Object.fromEntries(steps.map((step) => [step.name, inputsOf(step).stdin]));

    test("is the same in every run", async () => {
        const again = await clusterGraph(spec);
        expect(Object.fromEntries(remoteSteps(again).map((step) => [step.name, inputsOf(step).stdin]))).toEqual(
            texts(),
        );
    });

    test("is bash", () => {
        expect(
            syntaxErrors({ ...texts(), "ssh-identity": inputsOf(find(graph, LOCAL, "ssh-identity")).stdin }),
        ).toEqual({});
    });

    testWith("shellcheck")("passes shellcheck", () => {
        const [push] = pushes;
        const ofTwoMachines = Object.fromEntries(
            Object.entries(texts())
                .filter(([name]) => !name.startsWith("worker-2"))
                .map(([name, text]) => [name, scriptBody(text)]),
        );
        const pushText = push === undefined ? "" : inputsOf(push).stdin;
        expect(shellcheck({ ...ofTwoMachines, push: pushText })).toBe("");
    });
});

describe("the number of steps", () => {
    test.each([2, 4, 6])("per worker is small, and the same with %i workers", async (workers) => {
        const many = await clusterGraph(testSpec({ workers }));
        const perWorker = Array.from(
            { length: workers },
            (_, index) => remoteSteps(many, { address: `10.240.0.${21 + index}` }).length,
        );
        expect(new Set(perWorker)).toEqual(new Set([7]));
    });

    test("that a machine gets at once is below what its SSH server takes before it starts refusing", () => {
        // MaxStartups is 10:30:100 by default: from ten unauthenticated connections on, sshd drops some.
        const waves = spec.nodes.map(({ name }) => {
            const own = steps.filter((step) => machineOf(step) === name);
            const depth = (step: Registration): number =>
                Math.max(
                    0,
                    ...own.filter(({ urn }) => step.dependencies.includes(urn)).map((other) => depth(other) + 1),
                );
            const sizes = new Map<number, number>();
            own.forEach((step) => sizes.set(depth(step), (sizes.get(depth(step)) ?? 0) + 1));
            return [name, Math.max(...sizes.values())] as const;
        });
        expect(waves.filter(([, most]) => most >= 10)).toEqual([]);
    });
});
