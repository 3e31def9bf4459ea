import * as pulumi from "@pulumi/pulumi";
import { allConfig } from "@pulumi/pulumi/runtime/config";
import type { Problem } from "./problems";
import type { RawConfig } from "./read";
import { isSecretInConfig } from "./secret-in-config";

const NAMESPACE = "aws:";
/** Settings of `kubelab:aws` that AWS's own provider has too. */
const SHARED = ["region", "profile"] as const;

/**
 * What the stack's config says to AWS's own provider (`aws:region`, `aws:profile`, `aws:defaultTags`, …), as arguments of one:
 * https://www.pulumi.com/registry/packages/aws/installation-configuration/. A provider that a program makes reads none of it.
 */
export function awsProviderConfig(): Readonly<Record<string, unknown>> {
    const config = new pulumi.Config("aws");
    const keys = Object.keys(allConfig() as RawConfig).filter((key) => key.startsWith(NAMESPACE));
    return Object.fromEntries(
        keys.map((key) => {
            const name = key.slice(NAMESPACE.length);
            return [
                name,
                isSecretInConfig(key) ? config.requireSecret(name).apply(decode) : decode(config.require(name)),
            ];
        }),
    );
}

/** Settings with those of `kubelab:aws` that `aws:…` says in their place. */
export function withAwsConfig(raw: RawConfig): { readonly raw: RawConfig; readonly problems: readonly Problem[] } {
    const { provider, aws = {} } = raw;
    if (provider !== "aws" || typeof aws !== "object" || aws === null) {
        return { raw, problems: [] };
    }
    const own = aws as Readonly<Record<string, unknown>>;
    const config = new pulumi.Config("aws");
    const said = SHARED.flatMap((name) => {
        const value = config.get(name);
        return value === undefined ? [] : [[name, value] as const];
    });
    const problems = said
        .filter(([name, value]) => own[name] !== undefined && own[name] !== value)
        .map(([name, value]) => ({
            key: `aws.${name}`,
            value: own[name],
            problem: `contradicts ${NAMESPACE}${name}, which is ${JSON.stringify(value)}`,
            remedy: "remove one of the two",
        }));
    return { raw: { ...raw, aws: { ...Object.fromEntries(said), ...own } }, problems };
}

function decode(text: string): unknown {
    return /^\s*([[{]|(true|false)\s*$)/.test(text) ? (JSON.parse(text) as unknown) : text;
}
