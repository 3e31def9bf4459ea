import { allConfig } from "@pulumi/pulumi/runtime/config";
import { SUDO_PASSWORD } from "./environment";
import { isSecretInConfig } from "./secret-in-config";
import { type RawConfig, unknownKeys } from "./read";

const NAMESPACE = "kubelab:";

/** Every `kubelab:` key of the stack without that prefix, and which of them the project doesn't know. Other namespaces, such
 * as `aws:`, belong to their providers. */
export function readConfig(): {
    readonly raw: RawConfig;
    readonly unknownKeys: readonly string[];
    /** Those of the keys that are secrets in the config. */
    readonly secretKeys: readonly string[];
} {
    const own = Object.entries(allConfig() as RawConfig).filter(([key]) => key.startsWith(NAMESPACE));
    const given = Object.fromEntries(own.map(([key, value]) => [key.slice(NAMESPACE.length), value]));
    const sudoPassword = process.env[SUDO_PASSWORD];
    // The Pulumi CLI puts the project's default in, an empty text.
    const wanted = given["provider"] === "hosts" && !given["sudoPassword"];
    const raw: RawConfig = sudoPassword && wanted ? { ...given, sudoPassword } : given;
    const secretKeys = Object.keys(given).filter((key) => isSecretInConfig(`${NAMESPACE}${key}`));
    return { raw, unknownKeys: unknownKeys(raw), secretKeys };
}
