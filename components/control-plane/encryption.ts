import type { remote } from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";
import { stringify } from "yaml";
import { PORTS } from "../cluster-spec/ports";
import { type ClusterSpec, FIRST_KEY } from "../cluster-spec/types";
import type { ReadyMachine } from "../machines/machine";
import { step } from "../steps/step";
import { KUBECTL } from "./kubectl-step";

export interface EncryptionKey {
    readonly name: string;
    /** base64 of 32 bytes */
    readonly secret: string;
}

/**
 * Secrets at rest: the first key writes, all of them read; the identity provider reads what was written before there was any.
 * https://kubernetes.io/docs/tasks/administer-cluster/encrypt-data/
 */
export function encryptionConfiguration(keys: readonly EncryptionKey[]): string {
    return stringify({
        apiVersion: "apiserver.config.k8s.io/v1",
        kind: "EncryptionConfiguration",
        resources: [
            {
                resources: ["secrets"],
                providers: [
                    { secretbox: { keys: keys.map(({ name, secret }) => ({ name, secret })) } },
                    { identity: {} },
                ],
            },
        ],
    });
}

const ETCD = "/etc/etcd";
const SECRETS = `etcdctl --endpoints https://127.0.0.1:${PORTS.etcdClient} --cacert ${ETCD}/ca.crt --cert ${ETCD}/client.crt --key ${ETCD}/client.key get --prefix /registry/secrets/`;
/** What stands before a value in etcd. */
const prefix = (name: string): string => `k8s:enc:secretbox:v1:${name}:`;
/** Counts matching lines of what comes before it; none isn't a failure of it. */
const count = (options: string, pattern: string): string =>
    `grep -a${options} "${pattern}" || [ "\${PIPESTATUS[*]}" = "0 1" ]`;

/**
 * Statements that refuse to drop a key which a Secret in etcd is encrypted with: nobody could read it again.
 *
 * @param file with the keys of before, where there is one.
 * @param names of the keys that there are to be.
 */
export function keepUsedKeys(file: string, names: readonly string[]): string[] {
    return [
        `if [ -e ${file} ]; then`,
        "    while read -r line; do",
        `        if [[ ! $line =~ ^-\\ name:\\ (.+)$ || " ${names.join(" ")} " == *" \${BASH_REMATCH[1]} "* ]]; then continue; fi`,
        "        key=${BASH_REMATCH[1]}",
        `        used=$(${SECRETS} --print-value-only | ${count("c", prefix("$key"))}) || fail "can't ask etcd whether the key $key is still in use"`,
        `        [ "$used" = 0 ] || fail "Secrets in etcd are encrypted with $key: put it back into kubelab:encryptionKeys, behind the new one, and run 'up' first"`,
        `    done <${file}`,
        "fi",
    ];
}

/**
 * The step that writes every Secret anew, so that all are encrypted with the cluster's first key, and looks in etcd whether they are.
 * A cluster whose key was never another one has no such step.
 */
export function encryptWithFirstKey(
    { encryptionKeys }: Pick<ClusterSpec, "encryptionKeys">,
    machine: ReadyMachine,
    dependsOn: readonly pulumi.Resource[],
    parent: pulumi.Resource,
): remote.Command | undefined {
    const [name = FIRST_KEY] = encryptionKeys;
    if (encryptionKeys.length === 1 && name === FIRST_KEY) {
        return undefined;
    }
    const number = (options: string, pattern: string, what: string): string =>
        `$(${SECRETS} ${what} | ${count(options, pattern)})`;
    const create = [
        "once secrets-encryption",
        "write_again() {",
        `    ${KUBECTL} get secrets -A -o json | ${KUBECTL} replace -f - >/dev/null`,
        "}",
        `all=${number("c", "^/registry/secrets/", "--keys-only")}`,
        "# Somebody else may change one in between.",
        `[ "$all" = 0 ] || within 60 write_again || fail "can't write all Secrets again: $(write_again 2>&1 | tail -n 3)"`,
        `all=${number("c", "^/registry/secrets/", "--keys-only")}`,
        `with=$(${SECRETS} --print-value-only | { grep -ao "${prefix(name)}" || true; } | wc -l)`,
        `[ "$with" -ge "$all" ] || fail "$((all - with)) of $all Secrets in etcd aren't encrypted with ${name}: run 'up' again"`,
    ];
    return step(`${machine.name}-secrets-encryption`, { machine, script: { create }, dependsOn }, parent);
}
