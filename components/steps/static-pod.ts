import type { remote } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { Document, type YAMLSeq } from "yaml";
import type { PodDetails, Process } from "./process";
import { installProcess, type ServiceArgs } from "./service";

const DELIMITER = "KUBELAB_END_OF_MANIFEST";

/**
 * The manifest of a process that the kubelet runs as a static pod.
 * https://kubernetes.io/docs/tasks/configure-pod-container/static-pod/
 *
 * `KUBELAB_UID`, `KUBELAB_GID`, the variables and the revision are put in on the machine: the first two are its own, the variables those
 * of the process's `.env` file, and the last changes with any file that the process reads.
 *
 * @throws Error where the process doesn't say how it runs as a pod.
 */
export function renderStaticPod(process: Process): string {
    const { name, flags, pod, environment } = process;
    if (pod === undefined) {
        throw new Error(`${name} doesn't run as a pod`);
    }
    const mounts = [
        { name: "config", path: pod.directory, readOnly: true },
        ...ownDirectories(process).map(({ name: volume, path }) => ({ name: volume, path, readOnly: false })),
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
                    ...(environment === undefined
                        ? {}
                        : { env: environment.names.map((each) => ({ name: each, value: `KUBELAB_ENV_${each}` })) }),
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

/** Directories that the process writes to, as its unit's StateDirectory and LogsDirectory. */
function ownDirectories({
    stateDirectory,
    logsDirectory,
}: Process): { readonly name: string; readonly path: string }[] {
    return [
        ...(stateDirectory === undefined ? [] : [{ name: "state", path: `/var/lib/${stateDirectory}` }]),
        ...(logsDirectory === undefined ? [] : [{ name: "logs", path: `/var/log/${logsDirectory}` }]),
    ];
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
 * Installs one process as a static pod of the machine's kubelet. A change of its secrets, its configuration or its
 * manifest replaces just this pod and waits until it is healthy again; a failed one is rolled back.
 *
 * @returns the step after which the process is healthy.
 */
export function staticPod(args: ServiceArgs, parent: pulumi.Resource): remote.Command {
    const { name, user = "root" } = args;
    const process = pulumi.output(args.process);
    const refresh = process.apply(
        ({ pod, healthDeadline, health }) =>
            `static_pod_refresh ${name} ${user} ${pod?.directory ?? ""} ${healthDeadline} ${health}`,
    );
    const script = process.apply((each) => ({
        prepare: ownDirectories(each).map(({ path }) => `install -d -m 0700 -o ${user} -g ${user} ${path}`),
        start: [
            `static_pod_put ${name} ${user} ${each.pod?.directory ?? ""} <<'${DELIMITER}'\n${renderStaticPod(each)}${DELIMITER}`,
            `static_pod_image ${each.pod?.image ?? ""}`,
            `static_pod_up ${name} ${each.healthDeadline} ${each.health}`,
        ],
    }));
    return installProcess(args, { refresh, script, stop: `static_pod_down ${name}` }, parent);
}
