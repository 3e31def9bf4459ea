/** One process group of a lab: a machine with its supervisor, or a service of the lab. */
export interface LabProcess {
    readonly lab: string;
    /** `undefined` is one of the lab's services. */
    readonly machine?: string;
    /** By default the registry. */
    readonly service?: "registry" | "switch";
}
