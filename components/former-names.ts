import * as pulumi from "@pulumi/pulumi";

/**
 * What resources were called by kubelab before its components took the name of their cluster: a stack of that time
 * continues with its resources. Nothing else in the program knows of it.
 *
 * Then as now, a URN is `urn:pulumi:<stack>::<project>::<types of all parents>$<type>::<name>`, without the parents'
 * names.
 */

/** Components that had the name of their machine, with what stands behind it now. */
const OF_MACHINE: Readonly<Record<string, string>> = {
    "kubelab:control-plane:Etcd": "-etcd",
    "kubelab:control-plane:ApiServer": "-kube-apiserver",
    "kubelab:control-plane:ControllerManager": "-kube-controller-manager",
    "kubelab:control-plane:Scheduler": "-kube-scheduler",
    "kubelab:node:Containerd": "-containerd",
    "kubelab:node:Kubelet": "-kubelet",
    "kubelab:node:KubeProxy": "-kube-proxy",
};

/** Other names that have more to them now than the cluster's before them, by the component that the resource is in. */
const RENAMED: Readonly<Record<string, readonly [now: RegExp, was: string]>> = {
    "kubelab:control-plane:Etcd": [/-client$/, "ctl"],
    "kubelab:control-plane:ApiServer": [/-kube-apiserver(-front-proxy-client)$/, "$1"],
    "kubelab:control-plane:ControlPlane": [/^.*-(role-bindings|service-account)$/, "$1"],
    "kubelab:machines:AwsMachine": [/^(.*)-pods$/, "pods-of-$1"],
};

/** All certificates were in their authorities. */
const AUTHORITY = "kubelab:index:Cluster$kubelab:pki:Pki$kubelab:pki:CertificateAuthority";
const CERTIFICATE = /^tls:index\/locallySignedCert:LocallySignedCert$/;
/** Of the only certificate that still has its key and its request here. */
const ADMIN = /^admin(-key|-request)?$/;
/** What wasn't there. */
const SINCE = /-(keys|kubelet-token|node-approver|drain)$/;

/**
 * Gives every resource of the cluster named `cluster`, which was made by a program of that time, its former URN as an alias. For the
 * `transformations` of its component; of one cluster in a stack, since there was only one.
 */
export function formerNames(cluster: string): pulumi.ResourceTransformation {
    const chains = new WeakMap<pulumi.Resource, string>();
    return ({ resource, type, name, props, opts }) => {
        const parent = opts.parent === undefined ? undefined : chains.get(opts.parent);
        const chain = parent === undefined ? type : `${parent}$${type}`;
        chains.set(resource, chain);
        const former = formerUrn(cluster, { type, name, parent: parent ?? "" });
        return former === undefined
            ? undefined
            : { props, opts: { ...opts, aliases: [...(opts.aliases ?? []), former] } };
    };
}

/** Undefined where nothing has changed. */
function formerUrn(
    cluster: string,
    { type, name, parent }: { readonly type: string; readonly name: string; readonly parent: string },
): string | undefined {
    const own = name.startsWith(`${cluster}-`) ? name.slice(cluster.length + 1) : name;
    const moved = CERTIFICATE.test(type) || ADMIN.test(own);
    const was = wasCalled(type, own, parent);
    if (parent === "" || SINCE.test(own) || name === `${cluster}-network` || (was === name && !moved)) {
        return undefined;
    }
    return `urn:pulumi:${pulumi.getStack()}::${pulumi.getProject()}::${moved ? AUTHORITY : parent}$${type}::${was}`;
}

/** @param own the name without the cluster's before it. */
function wasCalled(type: string, own: string, parent: string): string {
    const suffix = OF_MACHINE[type];
    if (suffix !== undefined) {
        return own.slice(0, -suffix.length);
    }
    const [now, was] = RENAMED[parent.slice(parent.lastIndexOf("$") + 1)] ?? [];
    return now === undefined ? own : own.replace(now, was ?? "");
}
