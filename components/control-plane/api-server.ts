import * as pulumi from "@pulumi/pulumi";
import { stringify } from "yaml";
import { Component } from "../component";
import { flag, type Process, withOverrides } from "../steps/process";
import type { HostFile } from "../steps/script";
import { CredentialFiles } from "../pki/files";
import type { ClusterSpec } from "../cluster-spec/types";
import { isTrue } from "../steps/flag-rules";
import { STRONG_SUITES } from "../steps/tls-suites";
import { admissionConfiguration, ownPlugins } from "./admission";
import { AUDIT_DIRECTORY, auditFlags, auditPolicy } from "./audit";
import { API_SERVER_RULES } from "./api-server-rules";
import { encryptionConfiguration, type EncryptionKey, keepUsedKeys } from "./encryption";
import { hosted } from "./hosted";
import type { ControlPlaneServiceArgs } from "./service-args";
import { noteVersion } from "./record";
import { PORTS } from "../cluster-spec/ports";

const USER = "kube-apiserver";
const DIRECTORY = "/etc/kubernetes/kube-apiserver";

/** A flag that the authentication configuration excludes: it is there that anonymous requests are let in. */
const ANONYMOUS = "anonymous-auth";

/**
 * How the API server runs on one machine.
 * https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/
 *
 * @param address the machine's address between nodes.
 */
export function apiServerProcess(spec: ClusterSpec, address: string): Process {
    const file = (name: string): string => `${DIRECTORY}/${name}`;
    const given = Object.entries(spec.flags["kube-apiserver"] ?? {});
    const own = Object.fromEntries(given.filter(([name]) => name !== ANONYMOUS));
    const plugins = ownPlugins(own["disable-admission-plugins"] ?? "");
    return {
        name: "kube-apiserver",
        description: "Kubernetes API server",
        documentation: "https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/",
        user: USER,
        type: "notify",
        after: ["etcd"],
        logsDirectory: AUDIT_DIRECTORY,
        flags: withOverrides(
            [
                flag("advertise-address", address, "endpoint of the service `kubernetes` in default"),
                flag("secure-port", spec.api.port),
                flag("tls-cert-file", file("server.crt")),
                flag("tls-private-key-file", file("server.key")),
                flag("tls-min-version", "VersionTLS12"),
                flag("tls-cipher-suites", STRONG_SUITES.join(","), "of TLS 1.2, for keys like the server's"),
                flag(
                    "client-ca-file",
                    file("ca.crt"),
                    "a client certificate's name is its user, its organization its group",
                ),
                flag(
                    "authentication-config",
                    file("authentication.yaml"),
                    "anonymous requests reach the health paths only",
                ),
                ...(spec.nodeCertificates === "bootstrap"
                    ? [flag("enable-bootstrap-token-auth", true, "a new machine's kubelet asks for its certificate")]
                    : []),
                flag("authorization-mode", "Node,RBAC"),
                ...(plugins.names === "" ? [] : [flag("enable-admission-plugins", plugins.names, plugins.why)]),
                flag(
                    "admission-control-config-file",
                    file("admission.yaml"),
                    "the Pod Security level of namespaces that name none",
                ),
                ...auditFlags(file("audit-policy.yaml")),
                flag("allow-privileged", true, "the Pod Security level of a namespace says whether its pods may be"),
                flag("etcd-servers", `https://127.0.0.1:${PORTS.etcdClient}`),
                flag("etcd-cafile", file("etcd-ca.crt")),
                flag("etcd-certfile", file("etcd-client.crt")),
                flag("etcd-keyfile", file("etcd-client.key")),
                flag("encryption-provider-config", file("encryption.yaml"), "Secrets are encrypted in etcd"),
                flag(
                    "kubelet-certificate-authority",
                    file("ca.crt"),
                    "logs and exec reach only kubelets that authenticate",
                ),
                flag("kubelet-client-certificate", file("kubelet-client.crt")),
                flag("kubelet-client-key", file("kubelet-client.key")),
                flag("kubelet-preferred-address-types", "InternalIP"),
                flag("service-account-issuer", `https://kubernetes.default.svc.${spec.clusterDomain}`),
                flag("service-account-key-file", file("service-accounts.pub")),
                flag("service-account-signing-key-file", file("service-accounts.key")),
                flag(
                    "service-account-extend-token-expiration",
                    false,
                    "a pod's token is good for an hour, not a year; the kubelet renews it",
                ),
                flag("service-cluster-ip-range", spec.serviceCidr),
                flag(
                    "requestheader-client-ca-file",
                    file("front-proxy-ca.crt"),
                    "the aggregation layer, for a metrics server say",
                ),
                flag("requestheader-allowed-names", "front-proxy-client"),
                flag("requestheader-username-headers", "X-Remote-User"),
                flag("requestheader-group-headers", "X-Remote-Group"),
                flag("requestheader-extra-headers-prefix", "X-Remote-Extra-"),
                flag("proxy-client-cert-file", file("front-proxy-client.crt")),
                flag("proxy-client-key-file", file("front-proxy-client.key")),
                flag(
                    "shutdown-watch-termination-grace-period",
                    "2s",
                    "else a restart waits a minute for watches to end by themselves",
                ),
                ...(spec.highlyAvailable
                    ? [flag("shutdown-delay-duration", "3s", "requests come until others know that it goes")]
                    : []),
                flag("profiling", false),
            ],
            own,
            API_SERVER_RULES.merged,
        ),
        health: `curl -sf --max-time 5 --cacert ${file("ca.crt")} https://127.0.0.1:${spec.api.port}/readyz`,
        healthDeadline: 90,
        pod: {
            image: `registry.k8s.io/kube-apiserver:v${spec.versions.kubernetes}`,
            directory: DIRECTORY,
            probe: { scheme: "HTTPS", port: spec.api.port, live: "/livez", ready: "/readyz" },
            cpu: "250m",
            memory: "256Mi",
        },
    };
}

/**
 * Anonymous requests: health checks only (KEP-4633), unless `kubelab:allowInsecure` names the flag.
 * https://kubernetes.io/docs/reference/access-authn-authz/authentication/#anonymous-requests
 */
export function authenticationConfiguration({ flags }: Pick<ClusterSpec, "flags">): string {
    const paths = ["/livez", "/readyz", "/healthz"].map((path) => ({ path }));
    const everywhere = isTrue(flags["kube-apiserver"]?.[ANONYMOUS] ?? "");
    return stringify({
        apiVersion: "apiserver.config.k8s.io/v1",
        kind: "AuthenticationConfiguration",
        anonymous: { enabled: true, ...(everywhere ? {} : { conditions: paths }) },
    });
}

export class ApiServer extends Component {
    readonly ready: pulumi.Resource;

    constructor(
        args: ControlPlaneServiceArgs & {
            /** The first one writes. */
            readonly encryptionKeys: pulumi.Output<readonly EncryptionKey[]>;
        },
        parent: Component,
    ) {
        super("kubelab:control-plane:ApiServer", parent.nameOf("kube-apiserver"), { parent });
        const { machine, spec, pki } = args;
        const pair = (name: string, certificate: string) =>
            files.pair(name, pki.certificate(machine, certificate, this));
        const files = new CredentialFiles(DIRECTORY, USER);
        const configuration: readonly HostFile[] = [
            { path: `${DIRECTORY}/authentication.yaml`, content: authenticationConfiguration(spec) },
            { path: `${DIRECTORY}/admission.yaml`, content: admissionConfiguration(spec) },
            { path: `${DIRECTORY}/audit-policy.yaml`, content: auditPolicy() },
        ];
        this.ready = hosted(
            {
                ...args,
                name: "kube-apiserver",
                user: USER,
                process: pulumi.output(machine.privateAddress).apply((address) => apiServerProcess(spec, address)),
                beforeSecrets: keepUsedKeys(`${DIRECTORY}/encryption.yaml`, spec.encryptionKeys),
                beforeStart: [noteVersion("kubernetes", spec)],
                secretFiles: pulumi.all([
                    files.key("service-accounts", pki.serviceAccounts.signing),
                    files.file("encryption.yaml", args.encryptionKeys.apply(encryptionConfiguration), "0400"),
                ]),
                files: pulumi.all([
                    ...configuration,
                    files.certificate("ca", pki.kubernetes.trusted),
                    files.certificate("etcd-ca", pki.etcd.trusted),
                    files.certificate("front-proxy-ca", pki.frontProxy.trusted),
                    files.file("service-accounts.pub", pki.serviceAccounts.trusted, "0444"),
                    ...pair("server", "kube-apiserver"),
                    ...pair("etcd-client", "kube-apiserver-etcd-client"),
                    ...pair("kubelet-client", "kube-apiserver-kubelet-client"),
                    ...pair("front-proxy-client", "kube-apiserver-front-proxy-client"),
                ]),
            },
            this,
        );
        this.registerOutputs({ ready: this.ready });
    }
}
