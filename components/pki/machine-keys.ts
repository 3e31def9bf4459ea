import * as pulumi from "@pulumi/pulumi";
import { rethrowAsItIs } from "../rethrow";
import type { ReadyMachine } from "../machines/machine";
import { step } from "../steps/step";
import type { ExpectedRequest } from "./request-der";
import type { MachineRequests } from "./requests";
import { verifyRequest } from "./verify-request";

/** Where a machine has the keys that were made on it, for root alone. */
const KEYS = "/var/lib/kubelab/keys";

/** Path of a key on its machine, by the name of its certificate. */
export function keyFile(name: string): string {
    return `${KEYS}/${name}.key`;
}

/**
 * Makes the keys of a machine's certificates on the machine, where they stay: the step prints nothing but the requests. An `up` makes no
 * key anew, nor does `kubelab:repair`, so that a preview of those doesn't have to take all certificates for new ones.
 *
 * @param newKeys what `kubelab:newKeys` says of the machine: another text makes all of its keys anew.
 * @returns the requests, PEM, by the names of their certificates: they fail where one isn't what was asked for; and the step.
 */
export function machineKeys(
    machine: ReadyMachine,
    requests: MachineRequests,
    newKeys: string | undefined,
    parent: pulumi.Resource,
): { readonly requests: pulumi.Output<Readonly<Record<string, string>>>; readonly made: pulumi.Resource } {
    const expected = pulumi.output(requests) as pulumi.Output<Readonly<Record<string, ExpectedRequest>>>;
    const made = step(
        `${machine.name}-keys`,
        {
            machine: { ...machine, repair: undefined },
            script: expected.apply((all) => ({
                create: [
                    // Not in the record: what is compared are the processes' copies.
                    "step=''",
                    "once keys",
                    "open_keys",
                    ...Object.entries(all).map(([name, each]) => renderRequest(name, each, newKeys)),
                    "close_keys",
                ],
            })),
            dependsOn: [machine.ready],
        },
        parent,
    );
    // The connection's key makes all that comes over it a secret; these are none.
    const requestsMade = pulumi.all([pulumi.unsecret(made.stdout), expected]).apply(async ([text, all]) => {
        const printed = readRequests(text);
        const names = Object.keys(all);
        await Promise.all(
            names.map((name) => verifyRequest(`${machine.name}, ${name}`, printed[name], all[name] as ExpectedRequest)),
        ).catch(rethrowAsItIs);
        return printed;
    });
    return { requests: requestsMade, made };
}

/** https://docs.openssl.org/master/man1/openssl-req/#configuration-file-format */
function renderRequest(name: string, request: ExpectedRequest, newKeys = ""): string {
    const { commonName, organization, dnsNames = [], ipAddresses = [] } = request;
    const names = [...dnsNames.map((each) => `DNS:${each}`), ...ipAddresses.map((each) => `IP:${each}`)];
    return [
        `request ${name} <<'KUBELAB_SETTINGS'`,
        `# keys: ${newKeys}`,
        "[req]",
        "prompt = no",
        "utf8 = yes",
        "string_mask = utf8only",
        "default_md = sha256",
        "distinguished_name = subject",
        ...(names.length === 0 ? [] : ["req_extensions = extensions"]),
        "[subject]",
        ...(organization === undefined ? [] : [`O = ${organization}`]),
        `CN = ${commonName}`,
        ...(names.length === 0 ? [] : ["[extensions]", `subjectAltName = ${names.join(",")}`]),
        "KUBELAB_SETTINGS",
    ].join("\n");
}

function readRequests(text: string): Record<string, string> {
    const found = text.matchAll(
        /^(\S+)\n(-----BEGIN CERTIFICATE REQUEST-----\n[^-]+-----END CERTIFICATE REQUEST-----)$/gm,
    );
    return Object.fromEntries([...found].map(([, name = "", pem = ""]) => [name, `${pem}\n`]));
}
