import * as pulumi from "@pulumi/pulumi";
import type { PartsDelivery } from "../host/parts";
import { put } from "../host/script";
import { step } from "../host/step";
import type { ReadyMachine } from "../machines/machine";
import { CredentialFiles } from "../pki/files";
import type { Pki } from "../pki/pki";
import type { ClusterSpec } from "../spec/types";
import { ApiServer } from "./api-server";
import { ControllerManager } from "./controller-manager";
import { Etcd } from "./etcd";
import { manifests, SUPER_ADMIN_KUBECONFIG } from "./kubectl-step";
import { bootstrapRoleBindings } from "./rbac";
import { Scheduler } from "./scheduler";

export interface ControlPlaneArgs {
    readonly spec: ClusterSpec;
    readonly machine: ReadyMachine;
    /** All control-plane machines, this one among them. */
    readonly members: readonly ReadyMachine[];
    readonly delivery: PartsDelivery;
    readonly pki: Pki;
    readonly encryptionKey: pulumi.Output<string>;
}

/** The control plane's processes on one machine. They start at once and wait for each other by themselves. */
export class ControlPlane extends pulumi.ComponentResource {
    /** `kubectl` works on the machine with `SUPER_ADMIN_KUBECONFIG`. */
    readonly api: pulumi.Resource[];

    constructor(args: ControlPlaneArgs, options: pulumi.ComponentResourceOptions) {
        super("kubelab:control-plane:ControlPlane", args.machine.name, {}, options);
        const { spec, machine, pki } = args;
        const own = { parent: this };
        const certificates = pki.controlPlane(machine);
        const parts = args.delivery(machine, "control-plane", this);
        const process = { ...args, parts, certificates };

        new Etcd(process, own);
        const apiServer = new ApiServer(process, own);
        if (spec.components.controllerManager) {
            new ControllerManager(process, own);
        }
        if (spec.components.scheduler) {
            new Scheduler(process, own);
        }

        const kubeconfig = new CredentialFiles("/etc/kubernetes", "root").kubeconfig("super-admin", {
            spec,
            pki,
            server: `https://127.0.0.1:${spec.api.port}`,
            user: "kubelab:super-admin",
            pair: certificates.superAdmin,
        });
        const superAdmin = step(
            `${machine.name}-super-admin`,
            {
                machine,
                secret: true,
                undo: true,
                script: kubeconfig.apply((file) => ({
                    create: [put(file)],
                    delete: [`rm -f ${SUPER_ADMIN_KUBECONFIG}`],
                })),
                dependsOn: [machine.ready],
            },
            this,
        );
        this.api = [apiServer.ready, superAdmin];
        if (machine.name === args.members[0]?.name) {
            manifests("role-bindings", { machine, objects: bootstrapRoleBindings(), dependsOn: this.api }, this);
        }
        this.registerOutputs();
    }
}
