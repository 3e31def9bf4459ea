import { dirname, delimiter } from "node:path";
import type { ClusterAccess } from "../cli/cluster-access";
import { run, type Result } from "../cli/run";
import { shellVariables } from "../machines/shell-variables";
import { type Exercise, scriptOf, workloadOf } from "./exercise";
import { factsOf, filled, machinesAt, NAMESPACE, type Scene, variablesOf } from "./scene";

/** Seconds for a fault to be put in or taken out. */
const FAULT_SECONDS = 180;
/** Seconds for one look at the symptom. */
const CHECK_SECONDS = 60;
/** Seconds for the pods of an exercise to be ready, and for its symptom to be absent. */
const READY_SECONDS = 120;

/** Seconds for a rollout that nothing hinders. */
const ROLLOUT_SECONDS = 15;

/** What a check has seen from outside. */
export interface Observation {
    readonly gone: boolean;
    /** The last line that it said. */
    readonly seen: string;
}

/** Puts exercises into a lab and takes them out. */
export class Stage {
    readonly facts: Readonly<Record<string, string>>;
    private readonly variables: string;

    constructor(
        private readonly cluster: ClusterAccess,
        private readonly scene: Scene,
    ) {
        this.facts = factsOf(scene);
        this.variables = shellVariables(variablesOf(this.facts));
    }

    /** The namespace and the pods that the exercise needs. @throws Error where they don't start. */
    async prepare(exercise: Exercise): Promise<void> {
        await this.removeNamespace();
        await this.cluster.kubectl(["create", "namespace", NAMESPACE]);
        // Its pods say nothing about the level `restricted`.
        await this.cluster.kubectl(["label", "namespace", NAMESPACE, "pod-security.kubernetes.io/warn=baseline"]);
        const manifests = workloadOf(exercise);
        if (manifests === "") {
            return;
        }
        await this.cluster.kubectl(["-n", NAMESPACE, "apply", "-f", "-"], filled(manifests, this.facts));
        const ready = ["wait", "deployment", "--all", "--for=condition=Available", `--timeout=${READY_SECONDS}s`];
        await this.cluster.kubectl(["-n", NAMESPACE, ...ready]);
    }

    /** @throws Error where a script fails. */
    async inject(exercise: Exercise): Promise<void> {
        await this.fault(exercise, "inject");
        for (const name of exercise.restart) {
            await this.cluster.kubectl(["-n", NAMESPACE, "rollout", "restart", "deployment", name]);
            // One that is only slow is no symptom yet.
            await this.cluster.tryKubectl([
                ...["-n", NAMESPACE, "rollout", "status", "deployment", name],
                `--timeout=${ROLLOUT_SECONDS}s`,
            ]);
        }
    }

    /**
     * Takes the fault out, whatever has become of it, and begins to delete the namespace.
     *
     * @throws Error where a script fails. What it couldn't do is drift, which a repair takes care of.
     */
    async undo(exercise: Exercise): Promise<void> {
        try {
            await this.fault(exercise, "undo");
        } finally {
            // The API may still be away.
            await this.cluster.tryKubectl(
                ["delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait=false"],
                "",
                20,
            );
        }
    }

    /** @throws Error where it isn't gone after two and a half minutes. */
    async removeNamespace(): Promise<void> {
        await this.cluster.kubectl(["delete", "namespace", NAMESPACE, "--ignore-not-found", "--timeout=150s"]);
    }

    /** Looks whether the symptom is there. */
    async observe(exercise: Exercise): Promise<Observation> {
        const { code, stdout, stderr } = await this.onWorkstation(scriptOf(exercise, "check.sh"), CHECK_SECONDS);
        const lines = `${stderr}\n${stdout}`.split("\n").filter((line) => line.trim() !== "");
        return { gone: code === 0, seen: lines.at(-1)?.trim() ?? "" };
    }

    /** Looks again until the symptom is there, at two looks in a row, or is gone. @returns what was seen last. */
    async until(gone: boolean, exercise: Exercise, seconds = READY_SECONDS): Promise<Observation> {
        const deadline = Date.now() + seconds * 1000;
        for (let inARow = 0; ;) {
            const observation = await this.observe(exercise);
            inARow = observation.gone === gone ? inARow + 1 : 0;
            if (inARow === (gone ? 1 : 2) || Date.now() > deadline) {
                return observation;
            }
            await new Promise((resolve) => setTimeout(resolve, 500));
        }
    }

    private async fault(exercise: Exercise, call: "inject" | "undo"): Promise<void> {
        const script = `${scriptOf(exercise, "fault.sh")}\n${call}`;
        const nodes = machinesAt(this.scene, exercise.on);
        const runs =
            exercise.on === "workstation"
                ? [{ where: "here", ran: this.onWorkstation(script, FAULT_SECONDS) }]
                : nodes.map((node) => {
                      const own = shellVariables({ MACHINE: node.name });
                      const ran = this.cluster.tryAsRoot(node, `${this.variables}${own}${script}`, FAULT_SECONDS);
                      return { where: `on ${node.name}`, ran };
                  });
        const failed: string[] = [];
        for (const { where, ran } of runs) {
            const { code, stdout, stderr } = await ran;
            if (code !== 0) {
                failed.push(
                    `${where}: ${(stderr.trim() || stdout.trim() || `exit ${code}`).split("\n").slice(-3).join(" | ")}`,
                );
            }
        }
        if (failed.length > 0) {
            throw new Error(`${call} of the exercise "${exercise.name}" ${failed.join("; ")}`);
        }
    }

    /** With kubectl as a person has it who has called `scripts/lab kubectl`. */
    private onWorkstation(script: string, timeoutSeconds: number): Promise<Result> {
        const [kubectl = ""] = this.cluster.kubectlCommand([]);
        return run(["bash", "-s"], {
            input: `${this.variables}${script}`,
            timeoutSeconds,
            environment: {
                ...process.env,
                KUBECONFIG: this.cluster.stack.kubeconfig,
                PATH: [dirname(kubectl), process.env["PATH"] ?? ""].join(delimiter),
            },
        });
    }
}
