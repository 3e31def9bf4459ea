import * as pulumi from "@pulumi/pulumi";
import type { ClusterSpec } from "../cluster-spec/types";
import { Component } from "../component";
import { CredentialFiles } from "../pki/files";
import type { Pki } from "../pki/pki";
import { type Process, renderUnit } from "../steps/process";
import { programFile } from "../steps/script";
import { installProcess, type ServiceArgs } from "../steps/service";
import { KNOWN_NODES } from "./known-nodes";
import { APPROVER_USER } from "./rights";

const NAME = "node-approver";
const DIRECTORY = `/etc/kubernetes/${NAME}`;
const PROGRAM = `/usr/local/lib/kubelab/${NAME}`;

/** The process that approves the certificates of kubelets: node-approver.sh, which a person can read on the machine. */
export function nodeApproverProcess(spec: ClusterSpec): Process {
    return {
        name: NAME,
        description: "Approves the certificates of this cluster's kubelets",
        documentation: "https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/",
        user: NAME,
        type: "exec",
        after: ["kube-apiserver"],
        flags: [],
        service: [
            `Environment=API=https://127.0.0.1:${spec.api.port}`,
            `Environment=KNOWN_NODES=/api/v1/namespaces/kube-system/configmaps/${KNOWN_NODES}`,
            `RuntimeDirectory=${NAME}`,
        ],
        // It waits for the API server by itself.
        health: `test -e /run/${NAME}/ready`,
        healthDeadline: 60,
    };
}

/** Runs it on a control plane. */
export class NodeApprover extends Component {
    readonly ready: pulumi.Resource;

    constructor(
        args: Pick<ServiceArgs, "machine" | "parts"> & { readonly spec: ClusterSpec; readonly pki: Pki },
        parent: Component,
    ) {
        super("kubelab:node-certificates:NodeApprover", parent.nameOf(NAME), { parent });
        const { machine, spec, pki } = args;
        const process = nodeApproverProcess(spec);
        const files = new CredentialFiles(DIRECTORY, NAME);
        const unit = {
            path: `/etc/systemd/system/${NAME}.service`,
            content: renderUnit(process, `/bin/bash ${PROGRAM}`, "a bash program: read it"),
            mode: "0600",
        };
        const program = programFile(PROGRAM, NAME);
        const check = `${NAME} ${process.healthDeadline} ${process.health}`;
        this.ready = installProcess(
            {
                ...args,
                dependsOn: [pki.keysOf(machine)],
                name: NAME,
                user: NAME,
                process,
                files: pulumi.all([
                    files.certificate("ca", pki.kubernetes.trusted),
                    ...files.kubeconfig(NAME, {
                        spec,
                        pki,
                        server: `https://127.0.0.1:${spec.api.port}`,
                        user: APPROVER_USER,
                        certificate: pki.certificate(machine, NAME, this),
                    }),
                ]),
            },
            {
                refresh: "",
                script: { files: [unit, program], start: [`service_up ${check}`] },
                stop: `service_down ${NAME}`,
            },
            this,
        );
        this.registerOutputs({ ready: this.ready });
    }
}
