import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually, Lab } from "./lab";

/** Seconds that a machine has to come up in without KVM, on a busy host. */
export const BOOT = 300;

const NODES = ["cp-1", "worker-1"] as const;

/** A pod on the control plane's and one on the worker's side, and a service for both. */
const PODS = NODES.map(
    (node) => `apiVersion: v1
kind: Pod
metadata: {name: on-${node}, labels: {app: both}}
spec:
    nodeName: ${node}
    tolerations: [{operator: Exists}]
    containers: [{name: web, image: nginx, ports: [{containerPort: 80}]}]
---
`,
).join("");
const SERVICE = `apiVersion: v1
kind: Service
metadata: {name: both}
spec: {selector: {app: both}, ports: [{port: 80}]}
`;

/** A lab of the nodes cp-1 and worker-1, one of them on a virtual machine. */
export class TwoNodes extends Lab {
    /** Kernel of each node. */
    kernels(): readonly string[] {
        const kernels = this.kubectl("get", "nodes", "-o", "jsonpath={.items[*].status.nodeInfo.kernelVersion}");
        return kernels.trim().split(" ");
    }

    /** Makes the pods and their service, and waits until the pods are Ready. */
    createPods(): void {
        const file = join(this.directory, "pods.yaml");
        writeFileSync(file, `${PODS}${SERVICE}`);
        this.kubectl("apply", "-f", file);
        this.kubectl("wait", "--for=condition=Ready", ...NODES.map((node) => `pod/on-${node}`), "--timeout=180s");
    }

    /** Address of a pod or a service. */
    addressOf(object: string): string {
        const field = object.startsWith("pod/") ? "{.status.podIP}" : "{.spec.clusterIP}";
        return this.kubectl("get", object, "-o", `jsonpath=${field}`).trim();
    }

    /** What nginx answers at each address, asked on a machine in one session. */
    answers(node: string, ...addresses: readonly string[]): string[] {
        const urls = addresses.map((address) => `http://${address}/`).join(" ");
        const curl = `for url in ${urls}; do curl -sS -m 10 -o /dev/null -w '%{http_code}\\n' $url || echo none; done`;
        return this.ssh(node, curl).trim().split("\n");
    }

    /** Both sides reach each other's pod by its address. */
    async podsReachEachOther(seconds: number): Promise<void> {
        await eventually(seconds, () => {
            // After a reboot a pod is started again, with another address.
            expect(this.answers("cp-1", this.addressOf("pod/on-worker-1"))).toEqual(["200"]);
            expect(this.answers("worker-1", this.addressOf("pod/on-cp-1"))).toEqual(["200"]);
        });
    }
}

/** A lab whose control plane is a container and whose worker is a virtual machine. */
export class VirtualWorker extends TwoNodes {
    /** @param network IPv4 CIDR of its machines. */
    constructor(name: string, network: string, config: Readonly<Record<string, unknown>> = {}) {
        super(name, network);
        const driver = { controlPlanes: "nspawn", workers: "qemu" };
        this.configure({ workers: 1, local: { network, driver, memory: 1536 }, ...config });
    }

    /** Reboots the virtual machine, and waits until it answers again. */
    async reboot(): Promise<void> {
        const boot = (): string => this.ssh("worker-1", "cat /proc/sys/kernel/random/boot_id");
        const earlier = boot();
        this.run("ssh", ["worker-1", "--", "systemctl reboot"], 60);
        await eventually(BOOT, () => {
            expect(boot()).not.toBe(earlier);
        });
    }
}
