import type { ConfigKey } from "./schema";

/** What a change of a setting does to a cluster that runs; docs/config.md shows it. */
export interface LiveChange {
    /** `refused`: before anything changes. `partly`: some of its settings are refused. */
    readonly change: "works" | "refused" | "partly";
    /** What happens, or where the reason is. */
    readonly effect: string;
}

const refused = (effect: string): LiveChange => ({ change: "refused", effect });
const works = (effect: string): LiveChange => ({ change: "works", effect });
const partly = (effect: string): LiveChange => ({ change: "partly", effect });

/** Every key of the config; immutable.ts and version-rules.ts do the refusing. */
export const LIVE_CHANGES: Readonly<Record<ConfigKey, LiveChange>> = {
    provider: refused("other machines have none of the data"),
    name: refused("certificates and machines carry it"),
    network: refused("running pods keep their network"),
    cniPlugin: refused("running pods keep their network"),
    overlay: refused("running pods keep their packet size"),
    controlPlanes: works("control planes join or leave, one at a time: docs/availability.md"),
    workers: works("new workers join; others are drained and deleted, the last first"),
    podCidr: refused("nodes and pods keep their addresses"),
    serviceCidr: refused("services keep their addresses"),
    clusterDomain: refused("running pods keep their search domain"),
    versions: partly("node by node; Kubernetes and etcd: same minor version or the next; others: any"),
    upgrade: works("the next rollout goes by it"),
    hosting: refused("both kinds would use the same data and ports"),
    nodeCertificates: works("kubelets restart and join again, or get certificates from here"),
    components: works("parts start or stop; kube-proxy's rules stay until a reboot"),
    stopAfter: works("later steps are done, or deleted"),
    serviceProxy: partly("refused with network cni; auto keeps what it chose"),
    proxyMode: works("kube-proxy restarts and removes the other mode's rules"),
    flags: works("the component restarts"),
    allowInsecure: works("allows or refuses flags"),
    encryptionKeys: partly("a new first key encrypts all Secrets again; one in use can't go"),
    authorities: partly("three runs replace a key, docs/rotation.md; other orders are refused"),
    backup: works("the timer follows; snapshots stay"),
    podSecurity: works("the API server restarts; pods that run already stay"),
    registryMirrors: works("containerd restarts; pods keep running"),
    parts: works("a binary that differs restarts its service, node by node"),
    local: partly("network, networking: refused; registryPort: a new registry; others: new machines only"),
    aws: partly("region, network, architecture, first zone: refused; others: docs/aws.md"),
    hosts: works("hosts join; others are drained and left as they were before"),
    apiEndpoint: partly("can be added, and kubeconfigs change then; another one is refused"),
    sudoPassword: works("the next steps use it"),
    repair: works("the steps of the node run again"),
    newKeys: works("its machines make new keys and get new certificates"),
};
