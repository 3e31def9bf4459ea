import * as pulumi from "@pulumi/pulumi";
import { Component } from "../component";
import { PORTS } from "../cluster-spec/ports";
import { CredentialFiles } from "../pki/files";
import { type ReloadedUnit, reloadedService } from "../steps/reloaded-service";
import type { NodeServiceArgs } from "./service-args";

const USER = "haproxy";
/** Of kubelab's own: a host may have another haproxy for itself. */
const NAME = "kube-apiserver-haproxy";
const DIRECTORY = "/etc/kubernetes/haproxy";
const CONFIGURATION = `${DIRECTORY}/haproxy.cfg`;
const AUTHORITY = `${DIRECTORY}/ca.crt`;

/** A control plane as a worker's load balancer sees it. */
export interface ApiBackend {
    readonly name: string;
    readonly address: string;
}

/**
 * haproxy's configuration on a worker: the API servers of all control planes, under one address of the worker's own.
 * https://docs.haproxy.org/2.6/configuration.html
 *
 * @param endpoint name that the API servers' certificates have, and that the worker's processes ask for.
 */
export function haproxyConfiguration(endpoint: string, backends: readonly ApiBackend[]): string {
    return [
        "global",
        "    log stdout format raw daemon notice",
        "",
        "defaults",
        "    log global",
        "    mode tcp",
        "    timeout connect 2s",
        "    # A watch may be silent for long.",
        "    timeout client 24h",
        "    timeout server 24h",
        "    timeout check 3s",
        "    option clitcpka",
        "    option srvtcpka",
        "",
        "frontend kube-apiserver",
        `    bind 127.0.0.1:${PORTS.apiServer}`,
        "    default_backend control-planes",
        "",
        "backend control-planes",
        "    balance leastconn",
        "    option redispatch",
        "    option httpchk GET /readyz",
        "    # Connections to a server that is found dead end at once: their clients ask another one.",
        `    default-server check check-ssl verify required ca-file ${AUTHORITY} check-sni ${endpoint} verifyhost ${endpoint} inter 1s fall 2 rise 2 on-marked-down shutdown-sessions`,
        ...backends.map(({ name, address }) => `    server ${name} ${address}:${PORTS.apiServer}`),
        "",
    ].join("\n");
}

const UNIT: ReloadedUnit = {
    description: "haproxy: this worker's way to the API servers of all control planes",
    documentation: "https://docs.haproxy.org/",
    service: [
        "Type=notify",
        `User=${USER}`,
        `Group=${USER}`,
        `ExecStart=/usr/sbin/haproxy -Ws -f ${CONFIGURATION}`,
        `ExecReload=/usr/sbin/haproxy -c -q -f ${CONFIGURATION}`,
        "ExecReload=/bin/kill -USR2 $MAINPID",
        "# Its own processes are all of it; those of before a reload end with their last connection.",
        "KillMode=mixed",
        "NoNewPrivileges=yes",
        "CapabilityBoundingSet=",
        "ProtectSystem=strict",
        "ProtectHome=yes",
        "PrivateTmp=yes",
    ],
};

/** A worker's way to the API: haproxy on 127.0.0.1, where the endpoint's name leads to in a cluster with several control planes. */
export class ApiLoadBalancer extends Component {
    readonly ready: pulumi.Resource;

    constructor({ spec, machine, pki, controlPlanes }: NodeServiceArgs, parent: Component) {
        super("kubelab:node:ApiLoadBalancer", parent.nameOf(NAME), { parent });
        const backends = pulumi.all(
            controlPlanes.map(({ name, privateAddress }) =>
                pulumi.output(privateAddress).apply((address) => ({ name, address })),
            ),
        );
        const authority = new CredentialFiles(DIRECTORY, USER).certificate("ca", pki.kubernetes.trusted);
        this.ready = reloadedService(
            {
                machine,
                name: NAME,
                unit: UNIT,
                prepare: [`ensure_user ${USER}`],
                files: pulumi
                    .all([backends, authority])
                    .apply(([all, ca]) => [
                        ca,
                        { path: CONFIGURATION, content: haproxyConfiguration(spec.api.name, all) },
                    ]),
                health: `listening https://127.0.0.1:${PORTS.apiServer}`,
            },
            this,
        );
        this.registerOutputs({ ready: this.ready });
    }
}
