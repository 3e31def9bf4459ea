import type { remote } from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";
import { service, type ServiceArgs } from "../steps/service";
import { staticPod } from "../steps/static-pod";
import type { ControlPlaneServiceArgs } from "./service-args";

/**
 * Runs a process of the control plane as the spec says: as a systemd unit, or as a static pod of the machine's kubelet.
 *
 * @returns the step after which the process is healthy.
 */
export function hosted(args: ControlPlaneServiceArgs & ServiceArgs, parent: pulumi.Resource): remote.Command {
    switch (args.spec.hosting) {
        case "systemd":
            return service(args, parent);
        case "static-pods":
            return staticPod(args, parent);
    }
}
