import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { remote } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { Document, type YAMLSeq } from "yaml";
import type { PodDetails, Process } from "./process";
import { put } from "./script";
import type { ServiceArgs } from "./service";
import { step } from "./step";

const library = readFileSync(join(__dirname, "static-pod.sh"), "utf8").split("\n").slice(1).join("\n").trim();
const DELIMITER = "KUBELAB_END_OF_MANIFEST";

/**
 * The manifest of a process that the kubelet runs as a static pod.
 * https://kubernetes.io/docs/tasks/configure-pod-container/static-pod/
 *
 * `KUBELAB_UID`, `KUBELAB_GID` and the revision are put in on the machine: the first two are its own, the last changes with any file
 * that the process reads.
 *
 * @throws Error where the process doesn't say how it runs as a pod.
 */
export function renderStaticPod(process: Process): string {
    const { name, flags, pod } = process;
    if (pod === undefined) {
        throw new Error(`${name} doesn't run as a pod`);
    }
    const state = process.stateDirectory === undefined ? [] : [`/var/lib/${process.stateDirectory}`];
    const mounts = [
        { name: "config", path: pod.directory, readOnly: true },
        ...state.map((path) => ({ name: "state", path, readOnly: false })),
    ];
    const document = new Document({
        apiVersion: "v1",
        kind: "Pod",
        metadata: {
            name,
            namespace: "kube-system",
            labels: { component: name, tier: "control-plane", "kubelab/revision": "none" },
        },
        spec: {
            hostNetwork: true,
            priorityClassName: "system-node-critical",
            automountServiceAccountToken: false,
            securityContext: {
                runAsNonRoot: true,
                runAsUser: "KUBELAB_UID",
                runAsGroup: "KUBELAB_GID",
                seccompProfile: { type: "RuntimeDefault" },
            },
            containers: [
                {
                    name,
                    image: pod.image,
                    imagePullPolicy: "IfNotPresent",
                    // The kubelet reads $(NAME) as a variable of the container and $$ as $.
                    command: [name, ...flags.map((each) => `--${each.name}=${each.value.replaceAll("$", "$$$$")}`)],
                    ...probes(pod),
                    resources: { requests: { cpu: pod.cpu, memory: pod.memory } },
                    securityContext: {
                        allowPrivilegeEscalation: false,
                        readOnlyRootFilesystem: true,
                        capabilities: { drop: ["ALL"] },
                    },
                    volumeMounts: mounts.map(({ name: volume, path, readOnly }) => ({
                        name: volume,
                        mountPath: path,
                        ...(readOnly ? { readOnly } : {}),
                    })),
                },
            ],
            volumes: mounts.map(({ name: volume, path }) => ({
                name: volume,
                hostPath: { path, type: "Directory" },
            })),
        },
    });
    const words = document.getIn(["spec", "containers", 0, "command"]) as YAMLSeq<{ commentBefore?: string }>;
    flags.forEach(({ why }, index) => {
        const word = words.items[index + 1];
        if (word !== undefined && why !== undefined) {
            word.commentBefore = ` ${why}`;
        }
    });
    return document.toString({ lineWidth: 0 });
}

/** Starting may take two minutes; after that an answer is due every ten seconds. */
function probes({ probe }: PodDetails): object {
    const httpGet = (path: string): object => ({
        httpGet: { host: "127.0.0.1", scheme: probe.scheme, port: probe.port, path },
    });
    return {
        startupProbe: { ...httpGet(probe.live), periodSeconds: 1, timeoutSeconds: 15, failureThreshold: 120 },
        livenessProbe: { ...httpGet(probe.live), periodSeconds: 10, timeoutSeconds: 15, failureThreshold: 8 },
        readinessProbe: { ...httpGet(probe.ready), periodSeconds: 1, timeoutSeconds: 15, failureThreshold: 3 },
    };
}

/**
 * Installs one process as a static pod of the machine's kubelet in at most two steps: its secrets, then its configuration and its
 * manifest. A change of either replaces just this pod and waits until it is healthy again; one that fails is put back.
 *
 * @returns the step after which the process is healthy.
 */
export function staticPod(args: ServiceArgs, parent: pulumi.Resource): remote.Command {
    const { machine, name, user = "root" } = args;
    const users = user === "root" ? [] : [`ensure_user ${user}`];
    const process = pulumi.output(args.process);
    const health = process.apply(({ healthDeadline, health: check }) => `${name} ${healthDeadline} ${check}`);
    const where = process.apply(({ pod }) => `${name} ${user} ${pod?.directory ?? ""}`);

    const secrets =
        args.secretFiles === undefined
            ? []
            : [
                  step(
                      `${machine.name}-${name}-secrets`,
                      {
                          machine,
                          secret: true,
                          script: pulumi.all([args.secretFiles, process]).apply(([files, each]) => ({
                              library,
                              create: [
                                  `once ${name}`,
                                  ...users,
                                  ...files.map(put),
                                  `static_pod_refresh ${name} ${user} ${each.pod?.directory ?? ""} ${each.healthDeadline} ${each.health}`,
                              ],
                          })),
                          dependsOn: [machine.ready],
                      },
                      parent,
                  ),
              ];

    return step(
        `${machine.name}-${name}`,
        {
            machine,
            undo: true,
            script: pulumi.all([process, args.files ?? [], health, where]).apply(([each, files, check, place]) => ({
                library,
                create: [
                    `once ${name}`,
                    ...users,
                    ...(each.stateDirectory === undefined
                        ? []
                        : [`install -d -m 0700 -o ${user} -g ${user} /var/lib/${each.stateDirectory}`]),
                    ...files.map(put),
                    `static_pod_put ${place} <<'${DELIMITER}'\n${renderStaticPod(each)}${DELIMITER}`,
                    `static_pod_up ${check}`,
                ],
                delete: [`once ${name}`, `static_pod_down ${name}`],
            })),
            dependsOn: [machine.ready, args.parts.ready, ...secrets, ...(args.dependsOn ?? [])],
        },
        parent,
    );
}
