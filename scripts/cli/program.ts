import { join } from "node:path";
import { Command } from "commander";
import { UserError } from "../support/errors";
import { late } from "../support/late";
import { repositoryRoot } from "../support/paths";
import { workingDirectory } from "../support/working-directory";
import type { BenchFlags } from "./bench";
import type { ConformanceOptions } from "./conformance";
import type { ExplainOptions } from "./explain";
import type { ExerciseOptions } from "./exercise";
import type { KubeconfigOptions } from "./kubeconfig";
import type { RotationOptions } from "./rotation";
import { defaultStack, Stack } from "./stack";

interface StackOption {
    readonly stack: string;
}

interface CertsOptions extends RotationOptions {
    readonly all?: boolean;
    readonly json?: boolean;
}

/** The commands of scripts/lab. What one needs is loaded when it runs. */
export function program(): Command {
    const lab = new Command("scripts/lab")
        .description("A Kubernetes cluster from its parts: bring it up, inspect it, take it down.")
        .showHelpAfterError("(add --help for usage)")
        .enablePositionalOptions()
        .configureHelp({ sortSubcommands: false });
    const onStack = (name: string): Command =>
        lab.command(name).option("--stack <name>", "which Pulumi.<name>.yaml", defaultStack());
    const stackOf = ({ stack }: StackOption): Stack => new Stack(repositoryRoot(), stack);

    onStack("up")
        .description("get the parts, create the machines, bring the cluster up, write the kubeconfig")
        .option(
            "-c, --config <key=value...>",
            "config for this run only, e.g. kubelab:workers=3; for good, edit Pulumi.<stack>.yaml",
            [],
        )
        .option("--preview", "show planned changes only")
        .option("-t, --target <resource...>", "change only these resources: names as `up` prints them, or URNs", [])
        .option("-v, --verbose", "show every resource, with keys and certificates, and the output of commands")
        .option("-r, --refresh", "refresh the state first, as `pulumi refresh` does")
        .option("--json", "print a line of JSON at the end: counts, seconds, phases")
        .action(
            async (
                options: StackOption & {
                    config: string[];
                    preview?: boolean;
                    json?: boolean;
                    target: string[];
                    refresh?: boolean;
                    verbose?: boolean;
                },
            ) => {
                const { up } = await late<typeof import("./up")>(require, "./up");
                const { config, preview = false, json = false, target, refresh = false, verbose = false } = options;
                const flags = [
                    ...target.flatMap((each) => ["--target", each.includes("::") ? each : `**::${each}`]),
                    ...(refresh ? ["--refresh"] : []),
                ];
                await up(stackOf(options), { config, preview, json, verbose, flags });
            },
        );
    onStack("upgrade")
        .description("show which node goes to which versions, in which order, then `up`")
        .option(
            "-c, --config <key=value...>",
            'config for this run only, e.g. kubelab:versions={"kubernetes":"1.36.3"}; for good, edit Pulumi.<stack>.yaml',
            [],
        )
        .option("--plan", "show that only")
        .option("--json", "print the plan, or the counts of `up`, as JSON")
        .action(async (options: StackOption & { config: string[]; plan?: boolean; json?: boolean }) => {
            const { upgrade } = await late<typeof import("./upgrade")>(require, "./upgrade");
            const { config, plan = false, json = false } = options;
            await upgrade(stackOf(options), { config, plan, json });
        });
    onStack("down")
        .description("delete the cluster and its machines")
        .option("--json", "print a line of JSON at the end: counts and seconds")
        .action(async (options: StackOption & { json?: boolean }) => {
            const { down } = await late<typeof import("./up")>(require, "./up");
            await down(stackOf(options), options.json ?? false);
        });
    onStack("start")
        .description("start the machines of a local lab that are stopped, after a reboot of this host say")
        .option("--at-boot", "have systemd do that whenever this host boots", false)
        .option("--not-at-boot", "have it no longer do that", false)
        .action(async (options: StackOption & { atBoot: boolean; notAtBoot: boolean }) => {
            const { start } = await late<typeof import("./start")>(require, "./start");
            await start(stackOf(options), options);
        });
    onStack("tour")
        .description("bring the cluster up step by step, with the commands that show each step")
        .option("-y, --yes", "do not wait at the steps; fail at unexpected output")
        .action(async (options: StackOption & { yes?: boolean }) => {
            const { tour } = await late<typeof import("./tour")>(require, "./tour");
            await tour(stackOf(options), { yes: options.yes ?? false });
        });
    onStack("doctor")
        .description("check whether a lab can come up on this host: missing prerequisites and their remedies")
        .option("--json", "print the checks as JSON")
        .action(async (options: StackOption & { json?: boolean }) => {
            const { examine } = await late<typeof import("./doctor")>(require, "./doctor");
            const { renderChecks, renderVerdict } = await late<typeof import("./doctor/render")>(
                require,
                "./doctor/render",
            );
            const checks = await examine(stackOf(options));
            const ok = checks.every(({ state }) => state !== "missing");
            console.log(
                options.json ? JSON.stringify({ ok, checks }) : `${renderChecks(checks)}\n\n${renderVerdict(checks)}`,
            );
            process.exitCode = ok ? 0 : 1;
        });
    onStack("status")
        .description("show nodes, units and drift from what `up` left; exit with 1 when anything is unhealthy")
        .option("--json", "print it as JSON")
        .action(async (options: StackOption & { json?: boolean }) => {
            const { openCluster } = await late<typeof import("./open-cluster")>(require, "./open-cluster");
            const { clusterStatus, isHealthy, renderStatus } = await late<typeof import("./status")>(
                require,
                "./status",
            );
            const cluster = await openCluster(stackOf(options));
            const status = await clusterStatus(cluster);
            const { apiServer } = cluster.stack.outputs();
            const healthy = isHealthy(status);
            console.log(
                options.json
                    ? JSON.stringify({ stack: options.stack, apiServer, healthy, ...status })
                    : renderStatus(cluster.stack, apiServer, status),
            );
            process.exitCode = healthy ? 0 : 1;
        });
    onStack("explain")
        .description(
            "why a pod doesn't run or a service doesn't answer: who should have acted, who did; exit with 1 when not well",
        )
        .argument("<resource...>", "pod/web, service/web, deployment/web, node/worker-1, …")
        .option("-n, --namespace <name>", "where the resource is", "default")
        .option("--json", "print it as JSON")
        .action(async (words: string[], options: StackOption & ExplainOptions) => {
            const { openCluster } = await late<typeof import("./open-cluster")>(require, "./open-cluster");
            const { explainResource, printExplanation } = await late<typeof import("./explain")>(require, "./explain");
            const cluster = await openCluster(stackOf(options));
            const explanation = await explainResource(cluster, words, options.namespace);
            printExplanation(cluster, explanation, options.json ?? false);
            process.exitCode = explanation.well ? 0 : 1;
        });
    onStack("view")
        .description("a page on 127.0.0.1 that shows the running lab, live; or a picture of it")
        .option("--port <number>", "port of 127.0.0.1 (default: a free one)", "0")
        .option("--export <file.svg|file.html>", "write a picture instead, and end")
        .action(async (options: StackOption & { port: string; export?: string }) => {
            const { exportView, view } = await late<typeof import("./view")>(require, "./view");
            const stack = stackOf(options);
            await (options.export === undefined
                ? view(stack, { port: options.port === "0" ? 0 : wholeNumber("--port", options.port) })
                : exportView(stack, options.export));
        });
    onStack("repair")
        .description("repair drift from what `up` left, on these nodes or on all")
        .argument("[nodes...]", "cp-1, worker-1, …; host: the bridge, NAT and registry of a local lab")
        .option("--json", "print a line of JSON at the end: drift before and after, counts and seconds")
        .action(async (nodes: string[], options: StackOption & { json?: boolean }) => {
            const { repair } = await late<typeof import("./repair")>(require, "./repair");
            process.exitCode = (await repair(stackOf(options), nodes, options.json ?? false)) ? 0 : 1;
        });
    onStack("verify")
        .description("create, scale and expose a deployment; call it from every node and from a pod; clean up")
        .action(async (options: StackOption) => {
            const { openCluster } = await late<typeof import("./open-cluster")>(require, "./open-cluster");
            const { renderCheck, verify } = await late<typeof import("./verify")>(require, "./verify");
            const checks = await verify(await openCluster(stackOf(options)), (check) => {
                console.log(renderCheck(check));
            });
            const failed = checks.filter(({ passed }) => !passed).length;
            console.log(
                failed === 0 ? `all ${checks.length} checks passed` : `${failed} of ${checks.length} checks failed`,
            );
            process.exitCode = failed === 0 ? 0 : 1;
        });
    onStack("exercise")
        .description("put a fault into the lab, to be found: docs/exercises.md")
        .argument("[what]", "the name of an exercise; or, for the one in the lab: hint, check, solve or undo")
        .option("--list", "all exercises, with what this lab lacks for them, and which are solved")
        .option("--random", "choose one that this lab can have")
        .option("--run", "with solve: also run the commands")
        .action(async (what: string | undefined, { stack, ...options }: StackOption & ExerciseOptions) => {
            const { exercise } = await late<typeof import("./exercise")>(require, "./exercise");
            process.exitCode = await exercise(stackOf({ stack }), what, options);
        });
    onStack("kubeconfig")
        .description("the path of your kubeconfig; or a named, expiring, revocable one for somebody else")
        .option("--user <name>", "make one for this user: certificate and key, 0600")
        .option("-g, --group <name...>", "groups of the user", [])
        .option("-n, --namespace <name>", "the role's rights are for this namespace only")
        .option("--role <name>", "cluster role whose rights the user gets: view, edit, admin …")
        .option("--expires <time>", "30m, 8h, 7d …: from 10m to 7d", "8h")
        .option("-o, --output <file>", "where to (default: .kubelab/<stack>/users/<name>.kubeconfig)")
        .option("--merge", "also add it to ~/.kube/config, or the first file of KUBECONFIG")
        .option("--list", "all that were made, with their rights and state")
        .option("--revoke <user>", "take the rights of a user's kubeconfigs back, or of the one with this id")
        .action(async ({ stack, ...options }: StackOption & KubeconfigOptions) => {
            const { openCluster } = await late<typeof import("./open-cluster")>(require, "./open-cluster");
            const { kubeconfig } = await late<typeof import("./kubeconfig")>(require, "./kubeconfig");
            console.log(await kubeconfig(await openCluster(stackOf({ stack })), options));
        });
    onStack("certs")
        .description("the cluster's certificates: until when, and who renews them; `certs renew` makes them anew")
        .argument("[action]", "renew: sign certificates anew, and restart what uses them")
        .argument("[names...]", "which ones: names as `certs` prints them")
        .option("--all", "all that `up` renews")
        .option("--authority <name>", "replace the key of an authority, or of service-accounts, in three runs of `up`")
        .option("--until <phase>", "with --authority: end after trust-both, reissue or trust-new")
        .option("--restart-pods", "with --authority: restart the pods that have to know the new key")
        .option("--now", "with --authority: go on without restarting pods")
        .option("--dry-run", "with --authority: show the phases that are left")
        .option("--json", "print them as JSON")
        .action(
            async (
                action: string | undefined,
                names: string[],
                { stack, all = false, json = false, ...rotation }: StackOption & CertsOptions,
            ) => {
                const { certs } = await late<typeof import("./certs")>(require, "./certs");
                process.exitCode = await certs(stackOf({ stack }), { action, names, all, json, rotation });
            },
        );
    onStack("conformance")
        .description("judge the running cluster by Kubernetes' conformance specs")
        .option("--focus <regexp>", "only specs whose full name matches")
        .option("--skip <regexp>", "none whose full name matches")
        .option("--sig <name>", "only those of a special interest group: network, node, apps …")
        .option("--nodes <number>", "specs that run at the same time", "4")
        .option("--report <directory>", "where to (default: .kubelab/<stack>/conformance)")
        .action(async ({ stack, ...options }: StackOption & ConformanceOptions) => {
            const { conformance } = await late<typeof import("./conformance")>(require, "./conformance");
            process.exitCode = await conformance(stackOf({ stack }), options);
        });
    onStack("backup")
        .description(
            "write what etcd has, the authorities and the keys into a file, encrypted with the stack's passphrase",
        )
        .argument("<file>", "a new file")
        .action(async (file: string, options: StackOption) => {
            const { backup } = await late<typeof import("./backup")>(require, "./backup");
            await backup(stackOf(options), file);
        });
    onStack("restore")
        .description("make the cluster what it was when the file was written; where the stack is down, in a new lab")
        .argument(
            "<file>",
            "one that `backup` wrote; or <node>:<snapshot>, <node>:latest: of that control plane's timer",
        )
        .action(async (file: string, options: StackOption) => {
            const { restore, restoreFromMachine } = await late<typeof import("./backup")>(require, "./backup");
            const stack = stackOf(options);
            process.exitCode = (await (restoreFromMachine(stack, file) ?? restore(stack, file))) ? 0 : 1;
        });
    onStack("recover")
        .description(
            "when most control planes are gone for good: one goes on alone with what it has, and `up` makes the others anew",
        )
        .option(
            "--without <node...>",
            "these are gone for good, though they don't say so; a local machine is deleted",
            [],
        )
        .option("--from <node>", "the control plane that goes on (default: the one with the newest data)")
        .action(async (options: StackOption & { without: string[]; from?: string }) => {
            const { recover } = await late<typeof import("./recover")>(require, "./recover");
            const { without, from } = options;
            await recover(stackOf(options), from === undefined ? { without } : { without, from });
        });
    onStack("cis")
        .description("the checks that the CIS Kubernetes Benchmark 1.12 scores; exit with 1 when one fails")
        .option("--manual", "also list those that it leaves to a person")
        .option("--json", "print the results as JSON")
        .action(async (options: StackOption & { manual?: true; json?: true }) => {
            const { openCluster } = await late<typeof import("./open-cluster")>(require, "./open-cluster");
            const { cisBenchmark, renderCis } = await late<typeof import("./cis")>(require, "./cis");
            const results = await cisBenchmark(await openCluster(stackOf(options)));
            const { manual = false, json = false } = options;
            console.log(json ? JSON.stringify(results) : renderCis(results, manual));
            process.exitCode = results.every(({ state }) => state !== "fail") ? 0 : 1;
        });
    onStack("path")
        .description("the way of a packet and of the answer, hop by hop, by a real connection: docs/path.md")
        .argument("<from>", "a pod (NAME or NAMESPACE/NAME), a node, or `here`")
        .argument("<to>", "a pod, a service, a node, a DNS name or an address, each with :PORT where it has several")
        .option("-n, --namespace <name>", "namespace of names without one", "default")
        .option("--udp", "UDP, where no object says which protocol the port is")
        .option("--json", "print the hops as JSON")
        .action(
            async (from: string, to: string, options: StackOption & { namespace: string; udp?: true; json?: true }) => {
                const { pathCommand } = await late<typeof import("./path")>(require, "./path");
                const { namespace, udp = false, json = false } = options;
                const protocol = udp ? "UDP" : "TCP";
                process.exitCode = await pathCommand(stackOf(options), { from, to, namespace, protocol }, json);
            },
        );
    onStack("audit")
        .description("show the last requests to the API servers: who did what, where, and the result")
        .option("--last <n>", "number of requests", "30")
        .option("--user <name>", "of this user only")
        .option("--refused", "only what was refused")
        .option("--all", "also what the cluster's own parts do")
        .option("--json", "print the events as JSON, one a line")
        .action(
            async (options: StackOption & { last: string; user?: string; refused?: true; all?: true; json?: true }) => {
                const { openCluster } = await late<typeof import("./open-cluster")>(require, "./open-cluster");
                const { auditEvents, renderEvents } = await late<typeof import("./audit")>(require, "./audit");
                const { user, refused = false, all = false, json = false } = options;
                const last = wholeNumber("--last", options.last);
                const events = await auditEvents(await openCluster(stackOf(options)), { last, all, refused, user });
                console.log(json ? events.map((event) => JSON.stringify(event)).join("\n") : renderEvents(events));
            },
        );
    onStack("kubectl")
        .description("kubectl with the cluster's kubeconfig")
        .argument("[arguments...]", "passed through")
        .passThroughOptions()
        .allowUnknownOption()
        .action(async (args: string[], options: StackOption) => {
            const { openCluster } = await late<typeof import("./open-cluster")>(require, "./open-cluster");
            const { runInTerminal } = await late<typeof import("./run")>(require, "./run");
            const command = (await openCluster(stackOf(options))).kubectlCommand(args);
            process.exitCode = await runInTerminal(command, { cwd: workingDirectory() });
        });
    onStack("ssh")
        .description("a shell, or a command after --, on a machine")
        .argument("<node>", "cp-1, worker-1, …")
        .argument("[command...]", "command to run there")
        .passThroughOptions()
        .action(async (name: string, command: string[], options: StackOption) => {
            const { sshInTerminal } = await late<typeof import("./open-cluster")>(require, "./open-cluster");
            process.exitCode = await sshInTerminal(stackOf(options), name, command);
        });
    onStack("pulumi")
        .description(
            "any command of the Pulumi CLI on the stack: stack, preview --diff, refresh, state, stack output …",
        )
        .argument("[arguments...]", "passed through")
        .passThroughOptions()
        .allowUnknownOption()
        .action(async (args: string[], options: StackOption) => {
            const { engineFor } = await late<typeof import("./up")>(require, "./up");
            const stack = stackOf(options);
            stack.requireConfig();
            process.exitCode = await (await engineFor(stack, {}, () => undefined)).pulumi(args);
        });
    onStack("bench")
        .description("measure how long things take, on labs of its own: phases, growth by workers, throughput")
        .option("--runs <n>", "number of runs; each is up, web service, up again, one more worker, down", "3")
        .option("--against <other>", "measure another installer in alternating runs: kubeadm")
        .option(
            "--only <what...>",
            "only these: phases, growth, throughput (default: all, or phases of a stack with fewer than two workers)",
        )
        .option("--workers <counts>", "numbers of workers for growth, separated by commas", "1,2,4")
        .option("--network <cidr>", "IPv4 range for the machines", "10.231.0.0/24")
        .option("--json <file>", "also write all results to this file")
        .action(async (options: BenchFlags) => {
            const { bench, readOptions } = await late<typeof import("./bench")>(require, "./bench");
            await bench(stackOf(options), readOptions(options));
        });
    lab.command("parts")
        .description("get the binaries and images into the cache: get (default), list, verify, export, import, prune")
        .option("--stack <name>", "get what this stack needs (default: what every cluster needs)")
        .argument("[action]", "get, list, verify, export, import or prune", "get")
        .allowUnknownOption()
        .argument("[arguments...]")
        .action(async (action: string, given: string[], { stack }: Partial<StackOption>) => {
            const { runInTerminal } = await late<typeof import("./run")>(require, "./run");
            const { flagsForStack } = await late<typeof import("./spec-of-stack")>(require, "./spec-of-stack");
            if (stack !== undefined && action !== "get") {
                throw new UserError(`--stack is an option of 'parts get', and this is 'parts ${action}'.`);
            }
            const args = stack === undefined ? given : [...flagsForStack(stackOf({ stack })), ...given];
            const loader = require.resolve("tsx/cjs");
            const program = join(repositoryRoot(), "scripts/parts/main.ts");
            process.exitCode = await runInTerminal([process.execPath, "--require", loader, program, action, ...args], {
                cwd: workingDirectory(),
            });
        });
    lab.command("test")
        .description("run tests: lint, types, shell scripts, unit tests, and the life of one cluster on real machines")
        .argument("[suites...]", "only these: lint, types, shell, unit, e2e, or test files such as e2e/kubenet")
        .option("--full", "run every end-to-end test but the slow ones")
        .option("--slow", "run every end-to-end test, measurements included")
        .action(async (suites: string[], { full = false, slow = false }: { full?: boolean; slow?: boolean }) => {
            const { testSuite } = await late<typeof import("./test-suite")>(require, "./test-suite");
            process.exitCode = await testSuite(repositoryRoot(), suites, slow ? "slow" : full ? "full" : "default");
        });
    return lab;
}

function wholeNumber(option: string, text: string): number {
    if (!/^[1-9]\d{0,5}$/.test(text)) {
        throw new UserError(`${option} is a number from 1 on, not "${text}".`);
    }
    return Number(text);
}
