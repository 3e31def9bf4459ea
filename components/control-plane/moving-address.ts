import * as pulumi from "@pulumi/pulumi";
import { Component } from "../component";
import { PORTS } from "../cluster-spec/ports";
import type { ClusterSpec } from "../cluster-spec/types";
import type { ReadyMachine } from "../machines/machine";
import { CredentialFiles } from "../pki/files";
import type { Pki } from "../pki/pki";
import { type ReloadedUnit, reloadedService } from "../steps/reloaded-service";

/** Of kubelab's own: a host may have another keepalived for itself. */
const NAME = "kube-apiserver-keepalived";
/** What serves at the address on its machine. */
const BEHIND = ["kube-apiserver", "etcd"];
const DIRECTORY = "/etc/kubernetes/keepalived";
const CONFIGURATION = `${DIRECTORY}/keepalived.conf`;
const AUTHORITY = `${DIRECTORY}/ca.crt`;
/** Which interface the machine's address is on, only the machine knows. */
const INTERFACE = `/run/${NAME}/interface.conf`;
/** Whether it takes the address from another machine: moving-address-library.sh writes it too. */
const PREFERENCE = `/run/${NAME}/preference.conf`;

/**
 * keepalived's configuration on one control plane: the address is on the one whose API server works, and stays there when another one
 * comes back. https://www.keepalived.org/manpage.html
 *
 * @param self address of this machine.
 * @param holders addresses of all control planes that the cluster has had: one that is about to leave has to hear of the others, and
 *     they of it, or two have the address.
 */
export function keepalivedConfiguration(address: string, self: string, holders: readonly string[]): string {
    const others = holders.filter((holder) => holder !== self);
    // Without a peer it would speak to all of the network, where another cluster may have the same router id.
    const peers = others.length === 0 ? ["127.0.0.1"] : others;
    const ready = `https://127.0.0.1:${PORTS.apiServer}/readyz`;
    return [
        "global_defs {",
        "    enable_script_security",
        "    script_user root",
        "}",
        "",
        "# A machine whose API server doesn't answer gives the address up.",
        "vrrp_script kube-apiserver {",
        `    script "/usr/bin/curl -sf --max-time 3 -o /dev/null --cacert ${AUTHORITY} ${ready}"`,
        "    interval 1",
        "    timeout 4",
        "    fall 2",
        "    rise 1",
        "}",
        "",
        "vrrp_instance api-endpoint {",
        "    version 3",
        "    virtual_router_id 64",
        "    state BACKUP",
        `    include ${INTERFACE}`,
        "    # The address doesn't move again when a machine comes back: nopreempt, and the same priority on all.",
        `    include ${PREFERENCE}`,
        "    # Seconds.",
        "    advert_int 0.3",
        `    unicast_src_ip ${self}`,
        "    unicast_peer {",
        ...peers.map((peer) => `        ${peer}`),
        "    }",
        "    virtual_ipaddress {",
        `        ${address}/32`,
        "    }",
        "    track_script {",
        "        kube-apiserver",
        "    }",
        "}",
        "",
    ].join("\n");
}

/** Before it starts, the address goes that a machine may have from when it was the only control plane. */
function unit(address: string, self: string): ReloadedUnit {
    const find = `read -r _ interface _ < <(ip -o -4 address show to ${self}/32)`;
    const drop = `while read -r _ _ _ had _; do ip address delete $had dev $interface; done < <(ip -o -4 address show to ${address}/32)`;
    const write = `echo "interface $interface" >${INTERFACE}; (echo nopreempt; echo priority 100) >${PREFERENCE}`;
    const prepare = [find, write, drop].join("; ").replaceAll("$", "$$$$");
    return {
        description: "keepalived: the API endpoint's address is on one control plane at a time",
        documentation: "https://www.keepalived.org/manpage.html",
        // Before one of these stops, the address leaves the machine.
        partOf: BEHIND,
        service: [
            "Type=exec",
            `RuntimeDirectory=${NAME}`,
            `ExecStartPre=/bin/bash -euc '${prepare}'`,
            `ExecStart=/usr/sbin/keepalived --dont-fork --log-console --use-file=${CONFIGURATION} --pid=/run/${NAME}/keepalived.pid --vrrp_pid=/run/${NAME}/vrrp.pid`,
            "ExecReload=/bin/kill -HUP $MAINPID",
        ],
    };
}

/** Statements by which a control plane gets the address before the one that may have it goes; none where it doesn't move. */
export function takeAddress({ api }: Pick<ClusterSpec, "api">): string[] {
    return api.moves && api.address !== undefined ? [`take_address ${NAME} ${api.address}`] : [];
}

/** The API endpoint's address of a cluster with several control planes: keepalived, on one of them. */
export class MovingAddress extends Component {
    readonly ready: pulumi.Resource;

    constructor(
        args: {
            readonly spec: ClusterSpec;
            readonly pki: Pki;
            readonly machine: ReadyMachine;
            readonly dependsOn: readonly pulumi.Resource[];
        },
        parent: Component,
    ) {
        super("kubelab:control-plane:MovingAddress", parent.nameOf(NAME), { parent });
        const { spec, machine, pki } = args;
        const { address, holders } = spec.api;
        if (address === undefined) {
            throw new Error("several control planes have an address for their endpoint");
        }
        const authority = new CredentialFiles(DIRECTORY, "root").certificate("ca", pki.kubernetes.trusted);
        const self = pulumi.output(machine.privateAddress);
        this.ready = reloadedService(
            {
                machine,
                name: NAME,
                unit: self.apply((own) => unit(address, own)),
                files: pulumi
                    .all([self, authority])
                    .apply(([own, ca]) => [
                        ca,
                        { path: CONFIGURATION, content: keepalivedConfiguration(address, own, holders), mode: "0600" },
                    ]),
                // Wherever the address is: it answers before anybody is told of it.
                health: `curl -sf --max-time 5 --cacert ${AUTHORITY} https://${address}:${PORTS.apiServer}/readyz`,
                dependsOn: args.dependsOn,
            },
            this,
        );
        this.registerOutputs({ ready: this.ready });
    }
}
