import { isIP } from "node:net";
import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import type { Machine } from "../machines/machine";
import type { ClusterSpec } from "../cluster-spec/types";
import { CertificateAuthority, type KeyPair } from "./certificate-authority";

/** What a control-plane machine's processes prove themselves with. */
export interface ControlPlaneCertificates {
    readonly etcdServer: KeyPair;
    readonly etcdPeer: KeyPair;
    /** For `etcdctl` and the health check. */
    readonly etcdClient: KeyPair;
    readonly apiServer: KeyPair;
    readonly apiServerEtcdClient: KeyPair;
    readonly apiServerKubeletClient: KeyPair;
    readonly frontProxyClient: KeyPair;
    readonly controllerManager: KeyPair;
    readonly controllerManagerServer: KeyPair;
    readonly scheduler: KeyPair;
    readonly schedulerServer: KeyPair;
    /** In `system:masters`, which no RBAC rule can lock out: stays on the machine, for the steps that run there. */
    readonly superAdmin: KeyPair;
}

export interface NodeCertificates {
    readonly kubelet: KeyPair;
    readonly kubeletServer: KeyPair;
    readonly kubeProxy: KeyPair;
}

/** Group of the person's own kubeconfig; bound to cluster-admin by RBAC, so that it can be taken away again. */
export const ADMIN_GROUP = "kubelab:cluster-admins";

/**
 * Every key and certificate of the cluster: three authorities, because a client of one trust domain must not pass for a client
 * of another (https://kubernetes.io/docs/setup/best-practices/certificates/), and a certificate per component and machine with
 * the usages it needs and no others.
 */
export class Pki extends pulumi.ComponentResource {
    readonly kubernetes: CertificateAuthority;
    readonly etcd: CertificateAuthority;
    readonly frontProxy: CertificateAuthority;
    readonly serviceAccounts: tls.PrivateKey;
    /** For the kubeconfig that the person gets. */
    readonly admin: KeyPair;
    private readonly spec: ClusterSpec;

    /** @param endpoint address that kubeconfigs reach the API server by. */
    constructor(
        spec: ClusterSpec,
        private readonly endpoint: pulumi.Input<string>,
        options: pulumi.ComponentResourceOptions,
    ) {
        super("kubelab:pki:Pki", spec.name, {}, options);
        const own = { parent: this };
        this.spec = spec;
        this.kubernetes = new CertificateAuthority("kubernetes-ca", own);
        this.etcd = new CertificateAuthority("etcd-ca", own);
        this.frontProxy = new CertificateAuthority("front-proxy-ca", own);
        this.serviceAccounts = new tls.PrivateKey("service-accounts", { algorithm: "ECDSA", ecdsaCurve: "P256" }, own);
        this.admin = this.kubernetes.issue("admin", {
            commonName: "kubelab:admin",
            organization: ADMIN_GROUP,
            uses: ["client"],
        });
        this.registerOutputs();
    }

    /** Certificates of the control-plane processes of one machine. */
    controlPlane(machine: Machine): ControlPlaneCertificates {
        const { name } = machine;
        const loopback = { dnsNames: ["localhost"], ipAddresses: ["127.0.0.1"] };
        const member = {
            dnsNames: [name, "localhost"],
            ipAddresses: [machine.privateAddress, "127.0.0.1"],
        };
        const api = this.spec.api;
        const addresses = [...api.ipAddresses, machine.address, machine.privateAddress, this.endpoint];
        return {
            etcdServer: this.etcd.issue(`${name}-etcd-server`, { commonName: name, uses: ["server"], ...member }),
            etcdPeer: this.etcd.issue(`${name}-etcd-peer`, { commonName: name, uses: ["server", "client"], ...member }),
            etcdClient: this.etcd.issue(`${name}-etcdctl`, { commonName: "etcdctl", uses: ["client"] }),
            apiServer: this.kubernetes.issue(`${name}-kube-apiserver`, {
                commonName: "kube-apiserver",
                uses: ["server"],
                dnsNames: [...new Set([...api.dnsNames, name, ...addresses.filter(isName)])],
                ipAddresses: unique(addresses.filter((address) => !isName(address))),
            }),
            apiServerEtcdClient: this.etcd.issue(`${name}-kube-apiserver-etcd-client`, {
                commonName: "kube-apiserver",
                uses: ["client"],
            }),
            apiServerKubeletClient: this.kubernetes.issue(`${name}-kube-apiserver-kubelet-client`, {
                commonName: "kube-apiserver-kubelet-client",
                uses: ["client"],
            }),
            frontProxyClient: this.frontProxy.issue(`${name}-front-proxy-client`, {
                commonName: "front-proxy-client",
                uses: ["client"],
            }),
            controllerManager: this.kubernetes.issue(`${name}-kube-controller-manager`, {
                commonName: "system:kube-controller-manager",
                uses: ["client"],
            }),
            controllerManagerServer: this.kubernetes.issue(`${name}-kube-controller-manager-server`, {
                commonName: "kube-controller-manager",
                uses: ["server"],
                ...loopback,
            }),
            scheduler: this.kubernetes.issue(`${name}-kube-scheduler`, {
                commonName: "system:kube-scheduler",
                uses: ["client"],
            }),
            schedulerServer: this.kubernetes.issue(`${name}-kube-scheduler-server`, {
                commonName: "kube-scheduler",
                uses: ["server"],
                ...loopback,
            }),
            superAdmin: this.kubernetes.issue(`${name}-super-admin`, {
                commonName: "kubelab:super-admin",
                organization: "system:masters",
                uses: ["client"],
            }),
        };
    }

    /** Certificates of one node; the kubelet's name and group are what the Node authorizer goes by. */
    node(machine: Machine): NodeCertificates {
        const { name } = machine;
        return {
            kubelet: this.kubernetes.issue(`${name}-kubelet`, {
                commonName: `system:node:${name}`,
                organization: "system:nodes",
                uses: ["client"],
            }),
            kubeletServer: this.kubernetes.issue(`${name}-kubelet-server`, {
                commonName: `system:node:${name}`,
                uses: ["server"],
                dnsNames: [name],
                ipAddresses: [machine.privateAddress],
            }),
            kubeProxy: this.kubernetes.issue(`${name}-kube-proxy`, {
                commonName: "system:kube-proxy",
                uses: ["client"],
            }),
        };
    }
}

/** Whether it is a host's name; an address that isn't known yet is none. */
function isName(address: pulumi.Input<string>): address is string {
    return typeof address === "string" && isIP(address) === 0;
}

/** Each address once, in order. */
function unique(addresses: readonly pulumi.Input<string>[]): pulumi.Input<pulumi.Input<string>[]> {
    const known = addresses.filter((address) => typeof address === "string");
    return known.length === addresses.length
        ? [...new Set(known)]
        : pulumi.all([...addresses]).apply((all) => [...new Set(all)]);
}
