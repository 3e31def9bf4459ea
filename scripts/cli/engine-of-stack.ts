import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { EngineKind } from "./engine";

/**
 * The engine that a stack was brought up by, as its files in `.kubelab` tell; undefined when neither engine has anything of
 * it here. What one engine made the other knows nothing of, and would make again.
 */
export function engineOfStack(repository: string, project: string, stack: string): EngineKind | undefined {
    const offline = readJson(join(repository, ".kubelab", stack, "state.json")) as OfflineState | undefined;
    if ((offline?.resources?.length ?? 0) + (offline?.pending?.length ?? 0) > 0) {
        return "offline";
    }
    const file = join(repository, ".kubelab/pulumi/.pulumi/stacks", project, `${stack}.json`);
    const pulumi = readJson(file) as PulumiState | undefined;
    const { resources, pending_operations: pending } = pulumi?.checkpoint?.latest ?? {};
    return (resources?.length ?? 0) + (pending?.length ?? 0) > 0 ? "pulumi" : undefined;
}

interface OfflineState {
    readonly resources?: readonly unknown[];
    readonly pending?: readonly unknown[];
}

interface PulumiState {
    readonly checkpoint?: {
        readonly latest?: {
            readonly resources?: readonly unknown[] | null;
            readonly pending_operations?: readonly unknown[] | null;
        } | null;
    };
}

function readJson(file: string): unknown {
    try {
        return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
    } catch {
        return undefined;
    }
}
