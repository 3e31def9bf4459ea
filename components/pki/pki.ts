import type * as pulumi from "@pulumi/pulumi";
import { Component } from "../component";
import type { Machine, ReadyMachine } from "../machines/machine";
import type { ClusterSpec } from "../cluster-spec/types";
import { CertificateAuthority, type KeyPair } from "./certificate-authority";
import { type ServiceAccountKeys, serviceAccountKeys } from "./service-account-keys";
import { keyFile, machineKeys } from "./machine-keys";
import { type Authority, type MachineRequests, requestsOf } from "./requests";

/** A certificate whose key is on a machine and nowhere else. */
export interface MachineCertificate {
    readonly certPem: pulumi.Output<string>;
    /** Path on the machine, for root alone. */
    readonly keyFile: string;
}

/** Group of the user's kubeconfig; bound to cluster-admin by RBAC, so that it can be revoked. */
export const ADMIN_GROUP = "kubelab:cluster-admins";

/**
 * The authorities and the service accounts' key, and what the authorities have signed (`requests.ts` says what that is). A certificate's
 * resource belongs to the component that uses it; its key is made on its machine and stays there, the administrator's aside.
 */
export class Pki extends Component {
    readonly kubernetes: CertificateAuthority;
    readonly etcd: CertificateAuthority;
    readonly frontProxy: CertificateAuthority;
    readonly serviceAccounts: ServiceAccountKeys;
    /** By machine: what it is to have, and what it asks for. */
    private readonly machines = new Map<
        string,
        {
            readonly wanted: MachineRequests;
            readonly requests: pulumi.Output<Readonly<Record<string, string>>>;
            readonly made: pulumi.Resource;
        }
    >();

    /** @param endpoint address that kubeconfigs reach the API server by, where they expect it in its certificate. */
    constructor(
        private readonly spec: ClusterSpec,
        private readonly endpoint: pulumi.Input<string> | undefined,
        private readonly cluster: Component,
    ) {
        super("kubelab:pki:Pki", cluster.resourceName, { parent: cluster });
        const { authorities } = spec;
        this.kubernetes = new CertificateAuthority("kubernetes-ca", authorities["kubernetes-ca"], this);
        this.etcd = new CertificateAuthority("etcd-ca", authorities["etcd-ca"], this);
        this.frontProxy = new CertificateAuthority("front-proxy-ca", authorities["front-proxy-ca"], this);
        this.serviceAccounts = serviceAccountKeys(authorities["service-accounts"], this);
        const { kubernetes, etcd, frontProxy, serviceAccounts } = this;
        this.registerOutputs({ kubernetes, etcd, frontProxy, serviceAccounts });
    }

    /** Has a machine make the keys of all certificates that it is to have. */
    makeKeys(machine: ReadyMachine): void {
        const wanted = requestsOf(this.spec, machine, this.endpoint);
        if (Object.keys(wanted).length > 0) {
            const { requests, made } = machineKeys(machine, wanted, this.spec.newKeys[machine.name], this.cluster);
            this.machines.set(machine.name, { wanted, requests, made });
        }
    }

    /** After this the machine has its keys. @throws Error where it is to have none. */
    keysOf(machine: Machine): pulumi.Resource {
        const { made } = this.machines.get(machine.name) ?? {};
        if (made === undefined) {
            throw new Error(`${machine.name} has no keys`);
        }
        return made;
    }

    /**
     * The certificate of that name in the machine's requests, once its keys are made.
     *
     * @param parent the component that uses it, which has its resource.
     */
    certificate(machine: Machine, name: string, parent: Component): MachineCertificate {
        const { wanted, requests } = this.machines.get(machine.name) ?? {};
        const request = wanted?.[name];
        if (request === undefined || requests === undefined) {
            throw new Error(`${machine.name} asks for no certificate ${name}`);
        }
        const pem = requests.apply((all) => all[name] ?? "");
        const resource = `${machine.cluster}-${machine.name}-${name}`;
        const certPem = this.authority(request.authority).sign(resource, pem, request.uses, parent);
        return { certPem, keyFile: keyFile(name) };
    }

    /** For the user's kubeconfig. */
    admin(parent: Component): KeyPair {
        return this.kubernetes.issue(
            parent.nameOf("admin"),
            { commonName: "kubelab:admin", organization: ADMIN_GROUP, uses: ["client"] },
            parent,
        );
    }

    private authority(name: Authority): CertificateAuthority {
        switch (name) {
            case "kubernetes":
                return this.kubernetes;
            case "etcd":
                return this.etcd;
            case "front-proxy":
                return this.frontProxy;
        }
    }
}
