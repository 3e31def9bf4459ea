import { Cluster } from "../../components";

/** Labs of one host need networks of their own. Without workers, the control plane runs pods. */
const { outputs: blue } = new Cluster("blue", { workers: 0, local: { network: "10.246.1.0/24" } });
const { outputs: green } = new Cluster("green", { workers: 0, local: { network: "10.246.2.0/24" } });

/** A later run reads in these what the clusters were built with. */
export { blue, green };
