import * as pulumi from "@pulumi/pulumi";
import { Component } from "../component";
import { asksForCertificates } from "../cluster-spec/node-certificates";
import type { PartsDelivery } from "../steps/parts";
import { putAll } from "../steps/script";
import { both, step } from "../steps/step";
import type { Rollout } from "../rollout";
import type { ReadyMachine } from "../machines/machine";
import { CredentialFiles } from "../pki/files";
import type { Pki } from "../pki/pki";
import type { ClusterSpec } from "../cluster-spec/types";
import { earlyRights } from "../node-certificates/bootstrap-token";
import { NodeApprover } from "../node-certificates/node-approver";
import { ApiServer } from "./api-server";
import { ControllerManager } from "./controller-manager";
import { type EncryptionKey, encryptWithFirstKey } from "./encryption";
import { Etcd } from "./etcd";
import { backups } from "./etcd-backup";
import { type Manifest, manifests } from "./kubectl-step";
import { MovingAddress } from "./moving-address";
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
    readonly encryptionKeys: pulumi.Output<readonly EncryptionKey[]>;
    /** The kubelet that runs the processes where they are static pods. */
    readonly kubelet: pulumi.Resource | undefined;
    /** The control plane before this one, which comes up first: the members of etcd come one at a time. */
    readonly predecessor: ControlPlane | undefined;
    readonly rollout: Rollout;
}

/** The control plane's processes on one machine, from etcd to the last one that the bring-up goes to. */
export class ControlPlane extends Component {
    /** After these `kubectl` works on the machine with `SUPER_ADMIN_KUBECONFIG`; none where the bring-up ends before. */
    readonly api: pulumi.Resource[];
    /** After these the users of the bring-up have their rights; on the first control plane. */
    readonly rights: pulumi.Resource[] = [];
    private readonly etcd: pulumi.Resource;
    /** The controllers that act only where they are the leader: one that elects none, from before, must have ended. */
    readonly controllers: pulumi.Resource[] = [];
    /** Of this control plane and those before it. */
    private readonly allApi: pulumi.Resource[];

    constructor(args: ControlPlaneArgs, parent: Component) {
        super("kubelab:control-plane:ControlPlane", parent.nameOf(args.machine.name), { parent });
        const { spec, machine, predecessor } = args;
        const pods = spec.hosting === "static-pods";
        // What runs in a pod comes in the pod's image.
        const { rollout } = args;
        const turn = rollout.turnOf(machine.name);
        const delivered = args.delivery(machine, pods ? "control-plane-tools" : "control-plane", this, turn);
        // A kubelet that runs the pods already changes after them.
        const kubelet = pods && args.kubelet !== undefined ? [args.kubelet] : [];
        const parts = { ...delivered, turn: both(turn, rollout.unlessOrdered(machine.name, kubelet)) };
        // Those that run change one machine after another: what serves the API while one restarts works itself.
        const before = predecessor !== undefined && rollout.isMember(machine.name) ? predecessor.api : [];
        const process = { ...args, parts, dependsOn: [], secretsTurn: Promise.resolve(before) };

        const after = predecessor === undefined ? [] : [predecessor.etcd, ...before];
        this.etcd = new Etcd({ ...process, dependsOn: after }, this).ready;
        if (spec.backup !== undefined) {
            backups(spec.backup, machine, [this.etcd], this);
        }
        this.api = spec.steps.includes("api-server") ? [...this.apiServer(process), this.etcd] : [];
        this.allApi = [...(predecessor?.allApi ?? []), ...this.api];
        if (this.api.length > 0 && machine.name === args.members.at(-1)?.name) {
            encryptWithFirstKey(spec, machine, this.allApi, this);
        }
        // Units of the first start at once and wait for each other. A pod that ends because it finds no API server is started again ever later.
        const clients = {
            ...process,
            dependsOn: [...(pods || predecessor !== undefined ? this.api : []), ...(predecessor?.controllers ?? [])],
            turn: rollout.after(machine.name, "api-server"),
        };
        rollout.at(machine.name, "api-server", this.api);
        if (spec.steps.includes("controller-manager")) {
            this.controllers.push(new ControllerManager(clients, this).ready);
        }
        if (spec.steps.includes("scheduler")) {
            this.controllers.push(new Scheduler(clients, this).ready);
        }
        rollout.at(machine.name, "control-plane", [this.etcd, ...this.api, ...this.controllers]);
        this.registerOutputs({ api: this.api });
    }

    /** The API server, the files for `kubectl` on the machine, and objects that no controller makes. */
    private apiServer(process: ControlPlaneArgs & ControlPlaneServiceArgs): pulumi.Resource[] {
        const { spec, machine, pki, members } = process;
        // Members of etcd come one at a time: the API servers of those that still wait would only take the processor from the others.
        const { predecessor, dependsOn = [] } = process;
        const after = predecessor === undefined ? [] : [this.etcd];
        const server = new ApiServer({ ...process, dependsOn: [...dependsOn, ...after] }, this);
        const { address = "127.0.0.1" } = spec.api.moves ? spec.api : {};
        // Not while etcd restarts: an API server that isn't ready gives the address up.
        const answers = [server.ready, this.etcd];
        const endpoint = spec.api.moves
            ? [new MovingAddress({ spec, pki, machine, dependsOn: answers }, this).ready]
            : [];
        const files = pulumi.all(
            new CredentialFiles("/etc/kubernetes", "root").kubeconfig("super-admin", {
                spec,
                pki,
                // Where its address moves, one that works: this machine's own may be what has failed.
                server: `https://${address}:${spec.api.port}`,
                user: "kubelab:super-admin",
                certificate: pki.certificate(machine, "super-admin", this),
                credentials: "super-admin",
            }),
        );
        const superAdmin = step(
            `${machine.name}-super-admin`,
            {
                machine,
                undo: true,
                script: files.apply((all) => ({
                    create: ["once super-admin", ...putAll(all)],
                    delete: ["once super-admin", `rm -f ${all.map(({ path }) => path).join(" ")}`],
                })),
                dependsOn: [machine.ready],
            },
            this,
        );
        const api = [server.ready, superAdmin, ...endpoint];
        if (machine.name === members[0]?.name) {
            const apply = (name: string, objects: readonly Manifest[], first: readonly string[] = []) =>
                manifests(name, { machine, objects, first, dependsOn: api, resource: `${machine.name}-${name}` }, this);
            const early = asksForCertificates(spec) ? earlyRights(spec) : [];
            this.rights.push(apply("role-bindings", bootstrapRoleBindings(spec), early));
            if (!spec.components.controllerManager) {
                apply("service-account", [defaultServiceAccount()]);
            }
        }
        if (asksForCertificates(spec)) {
            new NodeApprover(process, this);
        }
        return api;
    }
}
