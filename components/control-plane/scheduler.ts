import * as pulumi from "@pulumi/pulumi";
import { stringify } from "yaml";
import { Component } from "../component";
import { flag, type Process, withOverrides } from "../steps/process";
import { CredentialFiles } from "../pki/files";
import type { ClusterSpec } from "../cluster-spec/types";
import { hosted } from "./hosted";
import type { ControlPlaneServiceArgs } from "./service-args";
import { SCHEDULER_RULES } from "./scheduler-rules";
import { PORTS } from "../cluster-spec/ports";

const USER = "kube-scheduler";
const DIRECTORY = "/etc/kubernetes/kube-scheduler";

/** https://kubernetes.io/docs/reference/command-line-tools-reference/kube-scheduler/ */
export function schedulerProcess(spec: ClusterSpec): Process {
    const file = (name: string): string => `${DIRECTORY}/${name}`;
    return {
        name: "kube-scheduler",
        description: "Kubernetes scheduler",
        documentation: "https://kubernetes.io/docs/reference/command-line-tools-reference/kube-scheduler/",
        user: USER,
        type: "exec",
        after: ["kube-apiserver"],
        flags: withOverrides(
            [
                flag("config", file("scheduler.yaml")),
                flag("authentication-kubeconfig", file("kube-scheduler.conf")),
                flag("authorization-kubeconfig", file("kube-scheduler.conf")),
                flag("bind-address", "127.0.0.1"),
                flag("tls-cert-file", file("server.crt")),
                flag("tls-private-key-file", file("server.key")),
                flag("client-ca-file", file("ca.crt")),
                flag("requestheader-client-ca-file", file("front-proxy-ca.crt")),
            ],
            spec.flags["kube-scheduler"],
            SCHEDULER_RULES.merged,
        ),
        health: `curl -sf --max-time 5 --cacert ${file("ca.crt")} https://127.0.0.1:${PORTS.scheduler}/healthz`,
        healthDeadline: 90,
        pod: {
            image: `registry.k8s.io/kube-scheduler:v${spec.versions.kubernetes}`,
            directory: DIRECTORY,
            probe: { scheme: "HTTPS", port: PORTS.scheduler, live: "/livez", ready: "/readyz" },
            cpu: "100m",
            memory: "64Mi",
        },
    };
}

/** https://kubernetes.io/docs/reference/config-api/kube-scheduler-config.v1/ */
export function schedulerConfiguration(spec: ClusterSpec): string {
    return stringify({
        apiVersion: "kubescheduler.config.k8s.io/v1",
        kind: "KubeSchedulerConfiguration",
        clientConnection: { kubeconfig: `${DIRECTORY}/kube-scheduler.conf` },
        leaderElection: { leaderElect: spec.highlyAvailable },
        enableProfiling: false,
    });
}

export class Scheduler extends Component {
    readonly ready: pulumi.Resource;

    constructor(args: ControlPlaneServiceArgs, parent: Component) {
        super("kubelab:control-plane:Scheduler", parent.nameOf("kube-scheduler"), { parent });
        const { machine, spec, pki } = args;
        const files = new CredentialFiles(DIRECTORY, USER);
        this.ready = hosted(
            {
                ...args,
                name: "kube-scheduler",
                user: USER,
                process: schedulerProcess(spec),
                files: pulumi.all([
                    { path: `${DIRECTORY}/scheduler.yaml`, content: schedulerConfiguration(spec) },
                    files.certificate("ca", pki.kubernetes.trusted),
                    files.certificate("front-proxy-ca", pki.frontProxy.trusted),
                    ...files.pair("server", pki.certificate(machine, "kube-scheduler-server", this)),
                    ...files.kubeconfig("kube-scheduler", {
                        spec,
                        pki,
                        server: `https://127.0.0.1:${spec.api.port}`,
                        user: "system:kube-scheduler",
                        certificate: pki.certificate(machine, "kube-scheduler", this),
                    }),
                ]),
            },
            this,
        );
        this.registerOutputs({ ready: this.ready });
    }
}
