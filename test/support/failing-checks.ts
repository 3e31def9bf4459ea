import { RunError } from "@pulumi/pulumi/errors";
import { Cluster } from "../../components";
import { run } from "./mocks";

/**
 * Runs a program whose cluster fails its checks, as a process of its own: a test runner would take what the SDK leaves to the process
 * for a failed test. Prints the names of what was registered, and what the process was told.
 */
async function main(): Promise<void> {
    const registered: string[] = [];
    const failures = new Set<string>();
    process.on("unhandledRejection", (error: Error) => failures.add(error.message));
    const checks = Promise.reject(new RunError("the hosts aren't ready"));
    const args = { workers: 0, local: { network: "10.246.1.0/24" } };
    const program = () => ({ blue: new Cluster("blue", args, { checks }).outputs });
    await run(program, { registered: (name) => registered.push(name) }).catch(() => undefined);
    setImmediate(() => console.log(JSON.stringify({ registered, failures: [...failures] })));
}

void main();
