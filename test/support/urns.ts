import type { Registration, Run } from "./mocks";

/** The URN as the engine makes it, with the types of all parents; the SDK's mock has the last parent's only. */
export function urnOf(resource: Registration, { resources }: Pick<Run, "resources">): string {
    return `urn:pulumi:test::kubelab::${typesOf(resource, resources)}::${nameOf(resource.urn)}`;
}

function typesOf({ type, parent }: Registration, resources: readonly Registration[]): string {
    const above = resources.find(({ urn }) => urn === parent);
    return above === undefined || above.type === "pulumi:pulumi:Stack" ? type : `${typesOf(above, resources)}$${type}`;
}

function nameOf(urn: string): string {
    return urn.split("::").slice(3).join("::");
}

/**
 * All URNs that the engine looks for when it looks for a resource's state: its own, its aliases, and for each one of its parent's what it
 * would have been in that (`inheritedChildAlias` in Pulumi's pkg/resource/deploy/step_generator.go).
 */
export function knownAs(resource: Registration, run: Pick<Run, "resources">): string[] {
    const parent = run.resources.find(({ urn }) => urn === resource.parent);
    const inherited =
        parent === undefined || parent.type === "pulumi:pulumi:Stack"
            ? []
            : knownAs(parent, run)
                  .slice(1)
                  .flatMap((alias) => [
                      inherit(resource.type, nameOf(resource.urn), nameOf(parent.urn), alias),
                      ...resource.aliases.map((own) => inherit(resource.type, nameOf(own), nameOf(parent.urn), alias)),
                  ]);
    return [...new Set([urnOf(resource, run), ...resource.aliases, ...inherited])];
}

function inherit(type: string, name: string, parentName: string, parentAlias: string): string {
    const [, , parentTypes = ""] = parentAlias.split("::");
    const own = name.startsWith(parentName) ? `${nameOf(parentAlias)}${name.slice(parentName.length)}` : name;
    return `urn:pulumi:test::kubelab::${parentTypes}$${type}::${own}`;
}
