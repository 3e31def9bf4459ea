import { isIP } from "node:net";
import * as pulumi from "@pulumi/pulumi";
import { asksForCertificates } from "../cluster-spec/node-certificates";
import type { BringUpStep, ClusterSpec } from "../cluster-spec/types";
import type { Machine } from "../machines/machine";
import { APPROVER_USER } from "../node-certificates/rights";
import { hasKubeProxy } from "../cluster-spec/bring-up";

/** The authorities: a client of one trust domain must not pass for a client of another. */
export type Authority = "kubernetes" | "etcd" | "front-proxy";

/** What a certificate says: decided here, whoever asks for it. */
export interface CertificateRequest {
    readonly commonName: string;
    /** Kubernetes reads the organization as the user's group. */
    readonly organization?: string;
    /** `client`: may prove who it is to a server; `server`: may be a server; etcd's members are both to each other. */
    readonly uses: readonly ("client" | "server")[];
    readonly dnsNames?: readonly string[];
    readonly ipAddresses?: pulumi.Input<pulumi.Input<string>[]>;
}

/** The group of every kube-proxy. It has no rights: each one has its own. */
export const KUBE_PROXY_GROUP = "kubelab:kube-proxies";

export function kubeProxyUser(node: string): string {
    return `system:kube-proxy:${node}`;
}

/** Of a certificate whose key is on a machine. */
export interface MachineRequest extends CertificateRequest {
    readonly authority: Authority;
}

/** Certificates of a machine by their names: those of their resources, without the cluster's and the machine's before them. */
export type MachineRequests = Readonly<Record<string, MachineRequest>>;

/**
 * Every certificate that a process on the machine uses, as far as the bring-up goes: with the usages and the names that it needs and no
 * others. https://kubernetes.io/docs/setup/best-practices/certificates/
 *
 * @param endpoint address that kubeconfigs reach the API server by, where they expect it in its certificate.
 */
export function requestsOf(
    spec: ClusterSpec,
    machine: Machine,
    endpoint: pulumi.Input<string> | undefined,
): MachineRequests {
    const reached = (step: BringUpStep, requests: () => MachineRequests): MachineRequests =>
        spec.steps.includes(step) ? requests() : {};
    return {
        ...(machine.role === "control-plane"
            ? {
                  ...reached("etcd", () => etcdMember(machine)),
                  ...reached("api-server", () => apiServer(spec, machine, endpoint)),
                  ...reached("controller-manager", () => servingClient("kube-controller-manager")),
                  ...reached("scheduler", () => servingClient("kube-scheduler")),
                  ...(asksForCertificates(spec) ? nodeApprover() : {}),
              }
            : {}),
        ...(asksForCertificates(spec) ? {} : reached("kubelet", () => kubelet(machine))),
        ...(hasKubeProxy(spec, machine.role) ? kubeProxy(machine) : {}),
    };
}

function etcdMember({ name, privateAddress }: Machine): MachineRequests {
    const authority = "etcd";
    const member = { dnsNames: [name, "localhost"], ipAddresses: [privateAddress, "127.0.0.1"] };
    return {
        "etcd-server": { authority, commonName: name, uses: ["server"], ...member },
        "etcd-peer": { authority, commonName: name, uses: ["server", "client"], ...member },
        // For `etcdctl` and the health check.
        "etcd-client": { authority, commonName: "etcdctl", uses: ["client"] },
    };
}

function apiServer(
    { api }: ClusterSpec,
    machine: Machine,
    endpoint: pulumi.Input<string> | undefined,
): MachineRequests {
    const own = [machine.address, machine.privateAddress];
    const addresses = [...api.ipAddresses, ...own, ...(endpoint === undefined ? [] : [endpoint])];
    const client = (authority: Authority, commonName: string): MachineRequest => {
        return { authority, commonName, uses: ["client"] };
    };
    return {
        "kube-apiserver": {
            authority: "kubernetes",
            commonName: "kube-apiserver",
            uses: ["server"],
            dnsNames: [...new Set([...api.dnsNames, machine.name, ...addresses.filter(isName)])],
            ipAddresses: unique(addresses.filter((address) => !isName(address))),
        },
        "kube-apiserver-etcd-client": client("etcd", "kube-apiserver"),
        "kube-apiserver-kubelet-client": client("kubernetes", "kube-apiserver-kubelet-client"),
        "kube-apiserver-front-proxy-client": client("front-proxy", "front-proxy-client"),
        // In `system:masters`, which no RBAC rule can lock out: stays on the machine, for the steps that run there.
        "super-admin": { ...client("kubernetes", "kubelab:super-admin"), organization: "system:masters" },
    };
}

/** Of a process that is a client of the API server and serves its own health. */
function servingClient(process: string): MachineRequests {
    const authority = "kubernetes";
    const loopback = { dnsNames: ["localhost"], ipAddresses: ["127.0.0.1"] };
    return {
        [process]: { authority, commonName: `system:${process}`, uses: ["client"] },
        [`${process}-server`]: { authority, commonName: process, uses: ["server"], ...loopback },
    };
}

/** Of the process that approves what kubelets ask for. */
function nodeApprover(): MachineRequests {
    return { "node-approver": { authority: "kubernetes", commonName: APPROVER_USER, uses: ["client"] } };
}

/** The kubelet's name and group are what the Node authorizer goes by. */
function kubelet({ name, privateAddress }: Machine): MachineRequests {
    const authority = "kubernetes";
    const commonName = `system:node:${name}`;
    const serving = { dnsNames: [name], ipAddresses: [privateAddress] };
    return {
        kubelet: { authority, commonName, organization: "system:nodes", uses: ["client"] },
        "kubelet-server": { authority, commonName, uses: ["server"], ...serving },
    };
}

/** A user for each node, so that the rights of a node that has left go with it: a certificate is good until it ends. */
function kubeProxy({ name }: Machine): MachineRequests {
    const user = { commonName: kubeProxyUser(name), organization: KUBE_PROXY_GROUP };
    return { "kube-proxy": { authority: "kubernetes", ...user, uses: ["client"] } };
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
