import { isIP } from "node:net";
import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import { Component } from "../component";
import type { Machine } from "../machines/machine";
import type { ClusterSpec } from "../cluster-spec/types";
import { CertificateAuthority, type CertificateRequest, type KeyPair } from "./certificate-authority";

/** What an etcd member proves itself with. */
export interface EtcdCertificates {
    readonly server: KeyPair;
    readonly peer: KeyPair;
    /** For `etcdctl` and the health check. */
    readonly client: KeyPair;
}

export interface ApiServerCertificates {
    readonly server: KeyPair;
    readonly etcdClient: KeyPair;
    readonly kubeletClient: KeyPair;
    readonly frontProxyClient: KeyPair;
}

/** Of a process that is a client of the API server and serves its own health. */
export interface ServingClientCertificates {
    readonly client: KeyPair;
    readonly server: KeyPair;
}

/** Group of the person's own kubeconfig; bound to cluster-admin by RBAC, so that it can be taken away again. */
export const ADMIN_GROUP = "kubelab:cluster-admins";

/**
 * What every key and certificate of the cluster is: three authorities, because a client of one trust domain must not pass for a
 * client of another (https://kubernetes.io/docs/setup/best-practices/certificates/), and a certificate per component and machine
 * with the usages it needs and no others. A certificate's resources belong to the component that uses it.
 */
export class Pki extends Component {
    readonly kubernetes: CertificateAuthority;
    readonly etcd: CertificateAuthority;
    readonly frontProxy: CertificateAuthority;
    readonly serviceAccounts: tls.PrivateKey;

    /** @param endpoint address that kubeconfigs reach the API server by. */
    constructor(
        private readonly spec: ClusterSpec,
        private readonly endpoint: pulumi.Input<string>,
        parent: Component,
    ) {
        super("kubelab:pki:Pki", parent.resourceName, { parent });
        this.kubernetes = new CertificateAuthority("kubernetes-ca", this);
        this.etcd = new CertificateAuthority("etcd-ca", this);
        this.frontProxy = new CertificateAuthority("front-proxy-ca", this);
        this.serviceAccounts = new tls.PrivateKey(
            this.nameOf("service-accounts"),
            { algorithm: "ECDSA", ecdsaCurve: "P256" },
            { parent: this },
        );
        const { kubernetes, etcd, frontProxy, serviceAccounts } = this;
        this.registerOutputs({ kubernetes, etcd, frontProxy, serviceAccounts });
    }

    /** For the kubeconfig that the person gets. */
    admin(parent: Component): KeyPair {
        return this.kubernetes.issue(
            parent.nameOf("admin"),
            { commonName: "kubelab:admin", organization: ADMIN_GROUP, uses: ["client"] },
            parent,
        );
    }

    etcdMember({ name, privateAddress }: Machine, parent: Component): EtcdCertificates {
        const member = { dnsNames: [name, "localhost"], ipAddresses: [privateAddress, "127.0.0.1"] };
        const issue = (part: string, request: CertificateRequest): KeyPair =>
            this.etcd.issue(parent.nameOf(part), request, parent);
        return {
            server: issue("server", { commonName: name, uses: ["server"], ...member }),
            peer: issue("peer", { commonName: name, uses: ["server", "client"], ...member }),
            client: issue("client", { commonName: "etcdctl", uses: ["client"] }),
        };
    }

    apiServer(machine: Machine, parent: Component): ApiServerCertificates {
        const { api } = this.spec;
        const addresses = [...api.ipAddresses, machine.address, machine.privateAddress, this.endpoint];
        const server: CertificateRequest = {
            commonName: "kube-apiserver",
            uses: ["server"],
            dnsNames: [...new Set([...api.dnsNames, machine.name, ...addresses.filter(isName)])],
            ipAddresses: unique(addresses.filter((address) => !isName(address))),
        };
        const client = (authority: CertificateAuthority, part: string, commonName: string): KeyPair =>
            authority.issue(parent.nameOf(part), { commonName, uses: ["client"] }, parent);
        return {
            server: this.kubernetes.issue(parent.resourceName, server, parent),
            etcdClient: client(this.etcd, "etcd-client", "kube-apiserver"),
            kubeletClient: client(this.kubernetes, "kubelet-client", "kube-apiserver-kubelet-client"),
            frontProxyClient: client(this.frontProxy, "front-proxy-client", "front-proxy-client"),
        };
    }

    controllerManager(parent: Component): ServingClientCertificates {
        return this.servingClient("kube-controller-manager", parent);
    }

    scheduler(parent: Component): ServingClientCertificates {
        return this.servingClient("kube-scheduler", parent);
    }

    private servingClient(process: string, parent: Component): ServingClientCertificates {
        const loopback = { dnsNames: ["localhost"], ipAddresses: ["127.0.0.1"] };
        const issue = (name: string, request: CertificateRequest): KeyPair =>
            this.kubernetes.issue(name, request, parent);
        return {
            client: issue(parent.resourceName, { commonName: `system:${process}`, uses: ["client"] }),
            server: issue(parent.nameOf("server"), { commonName: process, uses: ["server"], ...loopback }),
        };
    }

    /** In `system:masters`, which no RBAC rule can lock out: stays on the machine, for the steps that run there. */
    superAdmin(parent: Component): KeyPair {
        return this.kubernetes.issue(
            parent.nameOf("super-admin"),
            { commonName: "kubelab:super-admin", organization: "system:masters", uses: ["client"] },
            parent,
        );
    }

    /** The kubelet's name and group are what the Node authorizer goes by. */
    kubelet({ name, privateAddress }: Machine, parent: Component): ServingClientCertificates {
        const commonName = `system:node:${name}`;
        const serving = { dnsNames: [name], ipAddresses: [privateAddress] };
        const issue = (resource: string, request: CertificateRequest): KeyPair =>
            this.kubernetes.issue(resource, request, parent);
        return {
            client: issue(parent.resourceName, { commonName, organization: "system:nodes", uses: ["client"] }),
            server: issue(parent.nameOf("server"), { commonName, uses: ["server"], ...serving }),
        };
    }

    kubeProxy(parent: Component): KeyPair {
        return this.kubernetes.issue(
            parent.resourceName,
            { commonName: "system:kube-proxy", uses: ["client"] },
            parent,
        );
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
