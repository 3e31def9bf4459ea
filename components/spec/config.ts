import { allConfig } from "@pulumi/pulumi/runtime/config";
import { type RawConfig, unknownKeys } from "./read";

const NAMESPACE = "kubelab:";

/** Every `kubelab:` key of the stack without that prefix, and which of them the project doesn't know. Other namespaces, such
 * as `aws:`, belong to their providers. */
export function readConfig(): { readonly raw: RawConfig; readonly unknownKeys: readonly string[] } {
    const own = Object.entries(allConfig() as RawConfig).filter(([key]) => key.startsWith(NAMESPACE));
    const raw = Object.fromEntries(own.map(([key, value]) => [key.slice(NAMESPACE.length), value]));
    return { raw, unknownKeys: unknownKeys(raw) };
}
