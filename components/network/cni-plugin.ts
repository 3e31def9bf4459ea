import { removeBridge } from "./bridge";
import { putAll } from "../steps/script";
import type { Role } from "../cluster-spec/types";
import type { NetworkDaemon } from "./daemon-set";

/** A pod network whose own program runs in pods: what it is in the API, and what a node needs for it. */
export interface CniPlugin {
    readonly daemon: NetworkDaemon;
    readonly node: CniNode;
}

export interface CniNode {
    /** Directory below /run that the program shares with the node. */
    readonly directory: string;
    /** The file in it that the program writes once it knows the node's subnet. */
    readonly source: string;
    /** What the file is before that, for a program that completes it. */
    readonly draft?: string;
    /** Bash statements that write the CNI configuration to `$1` out of the file, or end without one where it isn't whole yet. */
    readonly configuration: readonly string[];
    /** Of the nodes of a role. */
    readonly kernel: (role: Role) => readonly KernelNeed[];
    /** Statements that take away what the program leaves on a node that outlives the cluster. */
    readonly undo: readonly string[];
}

/** What a node's kernel must have. */
export interface KernelNeed {
    readonly module: string;
    /** The bash command that succeeds where the kernel has it. */
    readonly check: string;
    /** What to do where it doesn't; no double quotes. */
    readonly remedy: string;
}

/** The kernel's tunnels of a kind, tried out: a kernel may have them without telling of a module. */
export function tunnel(type: "vxlan" | "ipip", options: string): KernelNeed {
    return {
        module: type,
        check: `{ ip link add kubelab-try type ${type} ${options} && ip link del kubelab-try; }`,
        remedy: "kubelab:overlay needs it unless it is 'none'",
    };
}

const UNIT = "cni-config";
const SCRIPT = `/usr/local/lib/kubelab/${UNIT}`;
const MODULES = "/etc/modules-load.d/kubelab-network.conf";
const TEMPORARY_FILES = `/etc/tmpfiles.d/kubelab-${UNIT}.conf`;
const files = (name: string): { readonly config: string; readonly draft: string } => ({
    config: `/etc/cni/net.d/10-${name}.conflist`,
    draft: `/usr/local/lib/kubelab/${name}.conflist`,
});

/** The statements that refuse a node whose kernel lacks what the plugin needs. They change nothing but load modules. */
export function checkKernel({ node }: CniPlugin, role: Role): string[] {
    return node
        .kernel(role)
        .flatMap(({ module, check, remedy }) => [
            `modprobe -q ${module} 2>/dev/null || true`,
            `${check} 2>/dev/null || fail "the kernel lacks ${module}: ${remedy}"`,
        ]);
}

/**
 * The statements that prepare a node for a plugin. The CNI configuration is there only while it is right: a unit writes it when the
 * program has told the node's subnet, and at boot it is gone until then. With one that isn't right the node would say that it is
 * Ready, and pods would fail that come too early.
 */
export function setUpNode({ daemon, node }: CniPlugin, role: Role): string[] {
    const { config, draft } = files(daemon.name);
    const kernel = node.kernel(role);
    return [
        "once pod-network",
        // Of an earlier step of the bring-up.
        ...removeBridge(),
        ...putAll([
            ...(kernel.length === 0
                ? []
                : [{ path: MODULES, content: kernel.map(({ module }) => `${module}\n`).join("") }]),
            ...(node.draft === undefined ? [] : [{ path: draft, content: node.draft }]),
            {
                path: TEMPORARY_FILES,
                content: [
                    `r! ${config}`,
                    `d ${node.directory} 0755 root root`,
                    ...(node.draft === undefined ? [] : [`C ${node.source} 0644 root root - ${draft}`]),
                    "",
                ].join("\n"),
            },
            { path: SCRIPT, content: configScript(config, node), mode: "0755" },
            { path: `/etc/systemd/system/${UNIT}.service`, content: serviceUnit(daemon.name) },
            { path: `/etc/systemd/system/${UNIT}.path`, content: pathUnit(node.source) },
        ]),
        `systemd-tmpfiles --create ${TEMPORARY_FILES}`,
        `service_settle ${UNIT}.path`,
        `service_enable ${UNIT}.path`,
        `systemctl restart ${UNIT}.path`,
        `if [ -e ${node.source} ]; then systemctl start ${UNIT}.service; fi`,
    ];
}

/** The statements that undo it on a node that outlives the cluster. */
export function tearDownNode({ daemon, node }: CniPlugin): string[] {
    const { config, draft } = files(daemon.name);
    return [
        "once pod-network",
        `systemctl disable --now --quiet ${UNIT}.path 2>/dev/null || true`,
        `rm -f ${config} ${draft} ${MODULES} ${TEMPORARY_FILES} ${SCRIPT} /etc/systemd/system/${UNIT}.path`,
        `service_down ${UNIT}`,
        `rm -rf ${node.directory}`,
        ...node.undo,
    ];
}

function configScript(config: string, { source, configuration }: CniNode): string {
    return `#!/bin/bash
# Writes the CNI configuration once ${source} tells the node's subnet.
set -euo pipefail
[ -e ${source} ] || exit 0
mkdir -p ${config.slice(0, config.lastIndexOf("/"))}
write() {
${configuration.join("\n")}
}
new=${config.replace(/[^/]*$/, ".kubelab.new")}
rm -f "$new"
write "$new"
[ ! -e "$new" ] || mv -f "$new" ${config}
`;
}

function serviceUnit(name: string): string {
    return `[Unit]
Description=CNI configuration of this node, as ${name} tells it
Documentation=https://www.cni.dev/docs/spec/#section-1-network-configuration-format
StartLimitIntervalSec=0

[Service]
Type=oneshot
ExecStart=${SCRIPT}
`;
}

function pathUnit(source: string): string {
    return `[Unit]
Description=Waits for ${source}

[Path]
PathChanged=${source}

[Install]
WantedBy=paths.target
`;
}
