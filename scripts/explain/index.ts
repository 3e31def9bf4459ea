import type { Explained } from "../inspect/snapshot";
import { explainClaim } from "./claim";
import type { Explanation } from "./explanation";
import type { Facts } from "./facts";
import { explainNode } from "./node";
import { explainPod } from "./pod";
import { explainService } from "./service";
import { explainWorkload } from "./workload";

/** The chain of a resource of any kind. */
export function explain(facts: Facts, resource: Explained): Explanation {
    switch (resource.kind) {
        case "Pod":
            return explainPod(facts, resource);
        case "Service":
            return explainService(facts, resource);
        case "Deployment":
        case "ReplicaSet":
        case "DaemonSet":
        case "StatefulSet":
        case "Job":
            return explainWorkload(facts, resource);
        case "PersistentVolumeClaim":
            return explainClaim(facts, resource);
        case "Node":
            return explainNode(facts, resource);
    }
}
