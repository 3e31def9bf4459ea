import * as pulumi from "@pulumi/pulumi";
import type { PartsDelivery } from "../steps/parts";
import { put } from "../steps/script";
import { step } from "../steps/step";
import type { ReadyMachine } from "../machines/machine";
import { CredentialFiles } from "../pki/files";
import type { Pki } from "../pki/pki";
import type { ClusterSpec } from "../cluster-spec/types";
import { ApiServer } from "./api-server";
import { ControllerManager } from "./controller-manager";
import { Etcd } from "./etcd";
import { manifests, SUPER_ADMIN_KUBECONFIG } from "./kubectl-step";
import { bootstrapRoleBindings } from "./rbac";
import { Scheduler } from "./scheduler";
import { defaultServiceAccount } from "./service-account";
import type { ControlPlaneServiceArgs } from "./service-args";

export interface ControlPlaneArgs {
    readonly spec: ClusterSpec;
    readonly machine: ReadyMachine;
    /** All control-plane machines, this one among them. */
    readonly members: readonly ReadyMachine[];
    readonly delivery: PartsDelivery;
    readonly pki: Pki;
    readonly encryptionKey: pulumi.Output<string>;
    /** The kubelet that runs the processes where they are static pods. */
    readonly kubelet: pulumi.Resource | undefined;
}

/** The control plane's processes on one machine, from etcd to the last one that the bring-up goes to. */
export class ControlPlane extends pulumi.ComponentResource {
    /** After these `kubectl` works on the machine with `SUPER_ADMIN_KUBECONFIG`; none where the bring-up ends before. */
    readonly api: pulumi.Resource[];

    constructor(args: ControlPlaneArgs, options: pulumi.ComponentResourceOptions) {
        super("kubelab:control-plane:ControlPlane", args.machine.name, {}, options);
        const { spec, machine, pki } = args;
        const own = { parent: this };
        const certificates = pki.controlPlane(machine);
        const pods = spec.hosting === "static-pods";
        // What runs in a pod comes in the pod's image.
        const parts = args.delivery(machine, pods ? "control-plane-tools" : "control-plane", this);
        const dependsOn = pods && args.kubelet !== undefined ? [args.kubelet] : [];
        const process = { ...args, parts, certificates, dependsOn };

        const etcd = new Etcd(process, own);
        this.api = spec.steps.includes("api-server") ? [...this.apiServer(process), etcd.ready] : [];
        // Units start at once and wait for each other. A pod that ends because it finds no API server is started again ever later.
        const clients = { ...process, dependsOn: pods ? this.api : [] };
        if (spec.steps.includes("controller-manager")) {
            new ControllerManager(clients, own);
        }
        if (spec.steps.includes("scheduler")) {
            new Scheduler(clients, own);
        }
        this.registerOutputs();
    }

    /** The API server, what `kubectl` on the machine needs, and the objects that nobody else makes. */
    private apiServer(process: ControlPlaneArgs & ControlPlaneServiceArgs): pulumi.Resource[] {
        const { spec, machine, pki, certificates, members } = process;
        const server = new ApiServer(process, { parent: this });
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
                    create: ["once super-admin", put(file)],
                    delete: ["once super-admin", `rm -f ${SUPER_ADMIN_KUBECONFIG}`],
                })),
                dependsOn: [machine.ready],
            },
            this,
        );
        const api = [server.ready, superAdmin];
        if (machine.name === members[0]?.name) {
            manifests("role-bindings", { machine, objects: bootstrapRoleBindings(), dependsOn: api }, this);
            if (!spec.components.controllerManager) {
                manifests("service-account", { machine, objects: [defaultServiceAccount()], dependsOn: api }, this);
            }
        }
        return api;
    }
}
