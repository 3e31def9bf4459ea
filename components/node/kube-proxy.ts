import * as pulumi from "@pulumi/pulumi";
import { stringify } from "yaml";
import { Component } from "../component";
import { flag, type Process, withOverrides } from "../steps/process";
import { service } from "../steps/service";
import type { MachineFacts } from "../machines/machine";
import { CredentialFiles } from "../pki/files";
import { kubeProxyUser } from "../pki/requests";
import type { ClusterSpec } from "../cluster-spec/types";
import { controlPlaneFile, type NodeServiceArgs } from "./service-args";
import { PORTS } from "../cluster-spec/ports";

const DIRECTORY = "/etc/kubernetes/kube-proxy";

/**
 * With nftables, kube-proxy looks at each start for what its other modes may have left, rule by rule: fifty calls of
 * iptables. One look shows whether there is anything; kube-proxy's own clean-up removes it.
 */
const CLEAN_UP =
    "; if [[ $$(iptables-save -t nat) == *:KUBE-SERVICES* ]]; then exec /usr/local/bin/kube-proxy --cleanup; fi";
const WITHOUT_IPTABLES = "InaccessiblePaths=-/usr/sbin/xtables-nft-multi -/usr/sbin/xtables-legacy-multi";

/** https://kubernetes.io/docs/reference/command-line-tools-reference/kube-proxy/ */
export function kubeProxyProcess(spec: ClusterSpec, name: string): Process {
    const url = `https://${spec.api.name}:${spec.api.port}`;
    const nftables = spec.proxyMode === "nftables";
    return {
        name: "kube-proxy",
        description: "Kubernetes service proxy",
        documentation: "https://kubernetes.io/docs/reference/command-line-tools-reference/kube-proxy/",
        user: "root",
        type: "exec",
        flags: withOverrides(
            [flag("config", `${DIRECTORY}/kube-proxy.yaml`), flag("hostname-override", name)],
            spec.flags["kube-proxy"],
        ),
        // Its client would wait longer and longer between tries: half a minute after a reboot of all machines.
        service: [
            `ExecStartPre=+/bin/bash -c 'exec 3<> <(:); until (: </dev/tcp/${spec.api.name}/${spec.api.port}) 2>/dev/null && curl -sf --max-time 5 --retry 20 --retry-delay 1 --retry-all-errors --cacert ${DIRECTORY}/ca.crt ${url}/readyz >/dev/null; do read -rt 0.5 <&3 || :; done${nftables ? CLEAN_UP : ""}'`,
            ...(nftables ? [WITHOUT_IPTABLES] : []),
        ],
        health: `answers http://127.0.0.1:${PORTS.kubeProxyHealth}/livez`,
        healthDeadline: 90,
    };
}

/** https://kubernetes.io/docs/reference/config-api/kube-proxy-config.v1alpha1/ */
export function kubeProxyConfiguration(spec: ClusterSpec, facts: MachineFacts): string {
    return stringify({
        apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
        kind: "KubeProxyConfiguration",
        clientConnection: { kubeconfig: `${DIRECTORY}/kube-proxy.conf` },
        mode: spec.proxyMode,
        clusterCIDR: spec.podCidr,
        ...(facts.conntrackMaxPerCore === undefined ? {} : { conntrack: { maxPerCore: facts.conntrackMaxPerCore } }),
    });
}

export class KubeProxy extends Component {
    readonly ready: pulumi.Resource;

    constructor(args: NodeServiceArgs, parent: Component) {
        super("kubelab:node:KubeProxy", parent.nameOf("kube-proxy"), { parent });
        const { machine, spec, pki } = args;
        const files = new CredentialFiles(DIRECTORY, "root");
        this.ready = service(
            {
                ...args,
                name: "kube-proxy",
                process: kubeProxyProcess(spec, machine.name),
                files: pulumi.all([
                    pulumi.output(machine.facts).apply((facts) => ({
                        path: `${DIRECTORY}/kube-proxy.yaml`,
                        content: kubeProxyConfiguration(spec, facts),
                    })),
                    ...controlPlaneFile(DIRECTORY, args),
                    files.certificate("ca", pki.kubernetes.trusted),
                    ...files.kubeconfig("kube-proxy", {
                        spec,
                        pki,
                        server: `https://${spec.api.name}:${spec.api.port}`,
                        user: kubeProxyUser(machine.name),
                        certificate: pki.certificate(machine, "kube-proxy", this),
                    }),
                ]),
            },
            this,
        );
        this.registerOutputs({ ready: this.ready });
    }
}
