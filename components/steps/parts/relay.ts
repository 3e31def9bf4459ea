import * as pulumi from "@pulumi/pulumi";
import type { ReadyMachine } from "../../machines/machine";
import { putAll } from "../script";
import type { SshIdentity } from "../ssh-identity";
import { step } from "../step";
import { allFilesOf } from "./files";
import { pushParts } from "./push";
import type { Parts, Sources } from "./types";
import { PORTS } from "../../cluster-spec/ports";

/** The relay listens on the machine's private address only. */
const PORT = PORTS.relay;
const SCRIPT = "/usr/local/lib/kubelab/relay";

/** Bash that answers one HTTP request, on its standard input and output. */
export const ANSWER = `#!/bin/bash
# Answers one HTTP request with one of the parts that this machine has: GET /<sha256>/<name>
set -euo pipefail
read -r -t 10 method path _
while read -r -t 10 header && [ -n "\${header%$'\\r'}" ]; do :; done
file=/opt/kubelab/parts$path
if [[ $method == GET && $path =~ ^/[0-9a-f]{64}/[a-z0-9.-]+$ && -f $file ]]; then
    printf 'HTTP/1.0 200 OK\\r\\nContent-Length: %s\\r\\n\\r\\n' "$(stat -c %s "$file")"
    exec cat "$file"
fi
printf 'HTTP/1.0 404 Not Found\\r\\nContent-Length: 0\\r\\n\\r\\n'
`;

const socketUnit = (address: string): string => `[Unit]
Description=Parts of this machine for the other machines

[Socket]
ListenStream=${address}:${PORT}
FreeBind=yes
Accept=yes
MaxConnections=256

[Install]
WantedBy=sockets.target
`;

const SERVICE = `[Unit]
Description=Parts of this machine for another machine

[Service]
ExecStart=${SCRIPT}
StandardInput=socket
StandardError=journal
DynamicUser=yes
CapabilityBoundingSet=
NoNewPrivileges=yes
PrivateNetwork=yes
ProtectSystem=strict
ProtectHome=yes
RuntimeMaxSec=900
`;

/**
 * Pushes everything to the first control plane, which gives the other machines what they ask for. Programs are no secrets: they go
 * over plain HTTP, between machines only, and each is checked against its sha256.
 */
export function relayParts(
    args: { readonly parts: Parts; readonly identity: SshIdentity; readonly first: ReadyMachine },
    parent: pulumi.Resource,
): { readonly sources: pulumi.Output<Sources>; readonly host: pulumi.Resource } {
    const { parts, first } = args;
    const pushed = pushParts(first, { name: "relay", files: allFilesOf(first) }, args, parent);
    const address = pulumi.output(first.privateAddress);
    const host = step(
        `${first.name}-relay`,
        {
            machine: first,
            undo: true,
            script: address.apply((own) => ({
                create: [
                    "once relay",
                    ...putAll([
                        { path: SCRIPT, content: ANSWER, mode: "0755" },
                        { path: "/etc/systemd/system/kubelab-relay@.service", content: SERVICE },
                        { path: "/etc/systemd/system/kubelab-relay.socket", content: socketUnit(own) },
                    ]),
                    'if [ -n "$changed" ]; then systemctl daemon-reload; systemctl stop kubelab-relay.socket; fi',
                    "systemctl enable --quiet --now kubelab-relay.socket",
                    `[ "$(curl -s --max-time 5 -o /dev/null -w '%{http_code}' http://${own}:${PORT}/)" = 404 ] || fail "the relay doesn't answer: journalctl -u 'kubelab-relay*'"`,
                ],
                delete: [
                    "once relay",
                    "systemctl disable --quiet --now kubelab-relay.socket || true",
                    `rm -f /etc/systemd/system/kubelab-relay.socket /etc/systemd/system/kubelab-relay@.service ${SCRIPT}`,
                    "systemctl daemon-reload",
                ],
            })),
            dependsOn: [pushed.ready],
        },
        parent,
    );
    const sources = pulumi.all([parts.fingerprints, address]).apply(([fingerprints, own]) =>
        Object.fromEntries(
            Object.entries(fingerprints).map(([path, sha256]) => {
                const url = `http://${own}:${PORT}/${sha256}/${path.slice(path.lastIndexOf("/") + 1)}`;
                return [path, { fingerprint: sha256, sha256, url }];
            }),
        ),
    );
    return { sources, host };
}
