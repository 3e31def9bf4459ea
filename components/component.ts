import * as pulumi from "@pulumi/pulumi";

/** Whether `name` is the component's own or begins with it and a dash. */
function belongsTo(component: string, name: string): boolean {
    return name === component || name.startsWith(`${component}-`);
}

/**
 * What every component of kubelab is: the names of all resources in it begin with its own name, so that two clusters
 * can be in one program and a name in a preview shows its cluster.
 */
export abstract class Component extends pulumi.ComponentResource {
    /** The name in its URN. */
    readonly resourceName: string;

    /** @throws Error for a name that doesn't begin with that of the parent; as does every resource in it. */
    constructor(type: `kubelab:${string}:${string}`, name: string, options: pulumi.ComponentResourceOptions) {
        const refuse: pulumi.ResourceTransformation = (child) => {
            if (!belongsTo(name, child.name)) {
                throw new Error(`the resource "${child.name}" (${child.type}) in "${name}" (${type}) lacks its prefix`);
            }
            return undefined;
        };
        super(type, name, {}, { ...options, transformations: [...(options.transformations ?? []), refuse] });
        this.resourceName = name;
    }

    /** The name of a resource in this component: `test-cp-1-etcd` for `etcd` in `test-cp-1`. */
    nameOf(part: string): string {
        return `${this.resourceName}-${part}`;
    }
}
