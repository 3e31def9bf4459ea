import * as pulumi from "@pulumi/pulumi";
import { Component } from "../component";
import { flag, type Process } from "../steps/process";
import type { HostFile } from "../steps/script";
import { type ServiceArgs, service } from "../steps/service";
import type { MachineFacts } from "../machines/machine";
import type { ClusterSpec } from "../cluster-spec/types";

/** https://github.com/containerd/containerd/blob/main/docs/man/containerd.8.md */
export function containerdProcess(): Process {
    return {
        name: "containerd",
        description: "containerd, the container runtime",
        documentation: "https://containerd.io/docs/",
        user: "root",
        type: "notify",
        flags: [flag("config", "/etc/containerd/config.toml")],
        service: ["Delegate=yes", "KillMode=process", "TasksMax=infinity", "LimitCORE=infinity", "OOMScoreAdjust=-999"],
        health: "serves /run/containerd/containerd.sock ctr --connect-timeout 1s version",
        healthDeadline: 60,
    };
}

/** https://github.com/containerd/containerd/blob/main/docs/cri/config.md */
export function containerdConfiguration(
    spec: ClusterSpec,
    facts: Pick<MachineFacts, "restrictOomScoreAdj" | "cgroupDriver">,
): string {
    return `version = 3

[plugins.'io.containerd.cri.v1.images']
  [plugins.'io.containerd.cri.v1.images'.pinned_images]
    sandbox = "registry.k8s.io/pause:${spec.versions.pause}"
  [plugins.'io.containerd.cri.v1.images'.registry]
    config_path = "/etc/containerd/certs.d"

[plugins.'io.containerd.cri.v1.runtime']
  restrict_oom_score_adj = ${facts.restrictOomScoreAdj}
  [plugins.'io.containerd.cri.v1.runtime'.cni]
    bin_dirs = ["/opt/cni/bin"]
    conf_dir = "/etc/cni/net.d"
  [plugins.'io.containerd.cri.v1.runtime'.containerd]
    default_runtime_name = "runc"
    [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
        BinaryName = "/usr/local/bin/runc"
        # The kubelet's cgroupDriver is the same.
        SystemdCgroup = ${facts.cgroupDriver === "systemd"}
`;
}

/**
 * Where containerd looks for images: the user's mirrors per registry, then the machine's own in front of every registry; an
 * image's own registry always comes last. https://github.com/containerd/containerd/blob/main/docs/hosts.md
 */
export function registryFiles(
    mirrors: ClusterSpec["registryMirrors"],
    machineMirrors: readonly { readonly url: string; readonly certificateAuthority: string }[],
): HostFile[] {
    const directory = "/etc/containerd/certs.d";
    const authority = (index: number): string => `${directory}/mirror-${index + 1}.crt`;
    const own = machineMirrors.map(
        ({ url }, index) => `[host."${url}"]\n  capabilities = ["pull", "resolve"]\n  ca = "${authority(index)}"\n`,
    );
    const hosts = (urls: readonly string[]): string =>
        [...urls.map((url) => `[host."${url}"]\n  capabilities = ["pull", "resolve"]\n`), ...own].join("\n");
    return [
        ...machineMirrors.map(({ certificateAuthority }, index) => ({
            path: authority(index),
            content: certificateAuthority,
        })),
        ...(own.length > 0 ? [{ path: `${directory}/_default/hosts.toml`, content: hosts([]) }] : []),
        ...Object.entries(mirrors).map(([registry, urls]) => ({
            path: `${directory}/${registry}/hosts.toml`,
            content: hosts(urls),
        })),
    ];
}

export class Containerd extends Component {
    readonly ready: pulumi.Resource;

    constructor(
        args: Pick<ServiceArgs, "machine" | "parts" | "dependsOn"> & { readonly spec: ClusterSpec },
        parent: Component,
    ) {
        super("kubelab:node:Containerd", parent.nameOf("containerd"), { parent });
        const { machine, spec } = args;
        this.ready = service(
            {
                ...args,
                name: "containerd",
                process: containerdProcess(),
                files: pulumi
                    .output(machine.facts)
                    .apply((facts) => [
                        { path: "/etc/containerd/config.toml", content: containerdConfiguration(spec, facts) },
                        ...registryFiles(spec.registryMirrors, facts.registries),
                    ]),
            },
            this,
        );
        this.registerOutputs({ ready: this.ready });
    }
}
