import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { ClusterSpec, LocalSpec, NodeSpec } from "../../../components/cluster-spec/types";
import type { MachineFacts } from "../../machines/contract";
import type { PartsDirectory } from "../../parts";
import { UserError } from "../../support/errors";
import { type KubeadmArgs, initConfiguration, joinConfiguration, KUBELET_UNIT } from "./kubeadm-files";
import { PlainMachines } from "./plain-machines";
import { late } from "../../support/late";

/** Seconds of one cluster by kubeadm. */
export interface KubeadmRun {
    /** From nothing to machines that answer. */
    readonly machines: number;
    readonly init: number;
    /** From the end of init to the last node Ready. */
    readonly joins: number;
    /** From none to all nodes Ready: the three together. */
    readonly total: number;
}

const KUBECTL = "kubectl --kubeconfig /etc/kubernetes/admin.conf";
/** Images by the role that runs them; workers run the last three too. */
const CONTROL_PLANE_IMAGES = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"];
const NODE_IMAGES = ["kube-proxy", "coredns", "pause"];

/**
 * Brings a cluster up by kubeadm on the same kind of machines, and takes it down again. Not on the clock, and done beforehand:
 * programs linked, containerd running, images imported, the pod network's routes and CNI configuration in place.
 */
export async function measureKubeadm(
    repository: string,
    spec: ClusterSpec & { readonly local: LocalSpec },
    parts: PartsDirectory,
    signal: AbortSignal,
): Promise<KubeadmRun> {
    const machines = await PlainMachines.prepare(repository, spec, parts.path, signal);
    try {
        const created = await machines.create();
        const [first, ...others] = spec.nodes;
        if (first === undefined) {
            throw new Error("a cluster has a control plane");
        }
        const token = `${randomBytes(3).toString("hex")}.${randomBytes(8).toString("hex")}`;
        const endpoint = `${machines.address(first.name)}:${spec.api.port}`;
        await Promise.all(
            spec.nodes.map((node) => {
                const address = machines.address(node.name);
                const facts = machines.facts(node.name);
                const args: KubeadmArgs = { spec, facts, token, endpoint };
                const config =
                    node === first ? initConfiguration(node, address, args) : joinConfiguration(node, address, args);
                return furnish(machines, node, { spec, parts, config, facts });
            }),
        );
        const { seconds: init } = await machines.run(first.name, "kubeadm init --config /root/kubeadm.yaml");
        const started = performance.now();
        await Promise.all(others.map(({ name }) => machines.run(name, "kubeadm join --config /root/kubeadm.yaml")));
        const nodes = spec.nodes.map(({ name }) => `node/${name}`).join(" ");
        await machines.run(first.name, `${KUBECTL} wait --for=condition=Ready ${nodes} --timeout=120s`);
        const joins = (performance.now() - started) / 1000;
        return { machines: created, init, joins, total: created + init + joins };
    } finally {
        await machines.remove();
    }
}

interface Furniture {
    readonly spec: ClusterSpec;
    readonly parts: PartsDirectory;
    /** For kubeadm. */
    readonly config: string;
    readonly facts: MachineFacts;
}

/** Everything that kubeadm expects of a machine, and what would only slow it: see above. */
async function furnish(
    machines: PlainMachines,
    node: NodeSpec,
    { spec, parts, config, facts }: Furniture,
): Promise<void> {
    const [{ containerdConfiguration, containerdProcess }, { renderUnit }, kubenet] = await Promise.all([
        late<typeof import("../../../components/node/containerd")>(require, "../../../components/node/containerd"),
        late<typeof import("../../../components/steps/process")>(require, "../../../components/steps/process"),
        late<typeof import("../../../components/network/kubenet")>(require, "../../../components/network/kubenet"),
    ]);
    const neighbours = spec.nodes.map((each) => neighbourOf(each, machines));
    const self = neighbourOf(node, machines);
    const unit = renderUnit(containerdProcess(), "/usr/local/bin/containerd", "as in the parts");
    const files: readonly (readonly [string, string])[] = [
        ["/etc/containerd/config.toml", containerdConfiguration(spec, facts)],
        ["/etc/systemd/system/containerd.service", unit],
        ["/etc/systemd/system/kubelet.service", KUBELET_UNIT],
        ["/etc/cni/net.d/10-kubenet.conflist", kubenet.cniConfiguration(self)],
        ["/root/kubenet", kubenet.routeScript(self, neighbours, spec.podCidr)],
        ["/root/kubeadm.yaml", config],
    ];
    const links = parts.manifest.files
        .filter(({ path }) => /^(bin|cni)\//.test(path))
        .map(({ path, sha256 }) => {
            const name = path.split("/").at(-1) ?? "";
            const directory = path.startsWith("cni/") ? "/opt/cni/bin" : "/usr/local/bin";
            return `if [ -e /opt/kubelab/parts/${sha256}/${name} ]; then ln -sf /opt/kubelab/parts/${sha256}/${name} ${directory}/${name}; fi`;
        });
    await machines.run(
        node.name,
        [
            "mkdir -p /opt/cni/bin /etc/cni/net.d /etc/containerd /etc/kubernetes/manifests",
            ...links,
            ...files.map(([path, content]) => `cat >${path} <<'KUBELAB_FILE'\n${content.trimEnd()}\nKUBELAB_FILE`),
            "sysctl -qw net.ipv4.ip_forward=1",
            "bash /root/kubenet up",
            "systemctl daemon-reload",
            "systemctl enable --quiet --now containerd",
            "systemctl enable --quiet kubelet",
        ].join("\n"),
    );
    const kubeadm = "cat >/usr/local/bin/kubeadm && chmod 755 /usr/local/bin/kubeadm";
    await machines.feed(node.name, kubeadm, join(parts.path, "bin/kubeadm"));
    for (const image of [...(node.role === "control-plane" ? CONTROL_PLANE_IMAGES : []), ...NODE_IMAGES]) {
        await machines.feed(
            node.name,
            "ctr --namespace k8s.io images import -",
            join(parts.path, `images/${image}.tar`),
        );
    }
}

/** @throws where the stack's network leaves the ranges to a controller: kubeadm is given those of kubenet. */
function neighbourOf({ name, podCidr, podGateway }: NodeSpec, machines: PlainMachines) {
    if (podCidr === undefined || podGateway === undefined) {
        throw new UserError("the race against kubeadm is run with the pod network kubenet");
    }
    return { name, podCidr, podGateway, address: machines.address(name) };
}
