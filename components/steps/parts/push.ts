import { readFileSync } from "node:fs";
import { join } from "node:path";
import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { Machine, ReadyMachine } from "../../machines/machine";
import { commandAsRoot, passwordLines } from "../as-root";
import { quote, renderScript } from "../script";
import { type SshLogin, sshWords } from "../ssh-command";
import { loginOn, type SshIdentity } from "../ssh-identity";
import { inTurn, repairComment, rolloutComment, stepCommand, type Turn } from "../step";
import { allFilesOf } from "./files";
import { linkParts, listParts } from "./link";
import type { DeliveredParts, Fingerprints, Parts } from "./types";

/** Sends a machine files of the parts, in one stream over SSH with the pinned host key; what is there already is never sent again. */
export function pushParts(
    machine: ReadyMachine,
    what: { readonly name: string; readonly files: readonly string[] },
    args: { readonly parts: Parts; readonly identity: SshIdentity; readonly turn?: Turn | undefined },
    parent: pulumi.Resource,
): DeliveredParts {
    const { parts, identity, turn } = args;
    const { name: role, files } = what;
    const kept = allFilesOf(machine);
    const name = `${machine.name}-${role}-parts`;
    const stdin = pulumi
        .all([parts.digest, parts.fingerprints, parts.run, machine.address, machine.id, machine.sudoPassword])
        .apply(([digest, fingerprints, run, address, id, sudoPassword]) => {
            const { loginShell } = machine;
            const login = { ...loginOn(machine, address, identity), loginShell, sudoPassword };
            const verify = machine.repair !== undefined;
            const push = { step: name, verify, role, digest, fingerprints, files, kept, login };
            return [`# to ${id}`, ...rolloutComment(run), ...repairComment([machine.repair]), renderPush(push)].join(
                "\n",
            );
        });
    const ready = new local.Command(
        `${machine.cluster}-${name}`,
        {
            create: "bash -s -- create",
            stdin,
            addPreviousOutputInEnv: false,
            logging: local.Logging.Stderr,
        },
        {
            parent,
            deleteBeforeReplace: true,
            dependsOn: inTurn([machine.ready, identity.resource], turn),
            ...(machine.vm ? { deletedWith: machine.vm } : {}),
        },
    );
    return { ready, fingerprints: parts.fingerprints, run: parts.run, turn };
}

export interface PushArgs {
    /** The step's name, for the machine's record. */
    readonly step: string;
    /** Reads all that is on the machine, and sends again what isn't whole. */
    readonly verify: boolean;
    /** Parts of two roles can be sent to one machine in parallel. */
    readonly role: string;
    readonly digest: string;
    readonly fingerprints: Fingerprints;
    /** Paths in the parts directory. */
    readonly files: readonly string[];
    /** Paths of all that the machine needs, this push's and others': the rest goes. */
    readonly kept: readonly string[];
    readonly login: SshLogin & {
        readonly loginShell?: Machine["loginShell"] | undefined;
        readonly sudoPassword?: string | undefined;
    };
}

/** The bash script that runs here, not on the machine: finds what the machine lacks, sends that, links it. */
export function renderPush(args: PushArgs): string {
    const sha256 = (path: string): string => {
        const known = args.fingerprints[path];
        if (known === undefined) {
            throw new Error(`parts ${args.digest} have no ${path}`);
        }
        return known;
    };
    const wanted = args.files.map((path) => `${sha256(path)} ${path}`);
    const kept = args.kept.map(sha256);
    const { login } = args;
    const password = passwordLines(login);
    const asRoot = (command: string): string => quote(commandAsRoot(login, command));
    const asked = password.length > 0;
    const runLink = login.loginShell === "bash" ? quote(stepCommand(login, "create")) : asRoot("bash -s -- create");
    const linkInput = asked
        ? `with_password <<'KUBELAB_LINK' | remote ${runLink}`
        : `remote ${runLink} <<'KUBELAB_LINK'`;
    const incoming = `/opt/kubelab/incoming-${args.role}`;
    // There once the stream has come to its end.
    const arrived = `${incoming}/${args.digest}`;
    const parts = { wanted, kept };
    const link = [
        `once parts-${args.role}`,
        ...(args.verify ? ["verify_parts"] : []),
        listParts(parts),
        `lacks=$(lacking_parts ${arrived} <<<"$wanted")`,
        `if [ -n "$lacks" ]; then`,
        `    echo "$lacks"`,
        "    exit",
        "fi",
        linkParts(incoming, parts),
    ];
    const send = `${CACHE_DIRECTORY}
cache=$(cache_directory)/parts/${args.digest}
if [ ! -d "$cache" ]; then
    echo "kubelab: ${login.address}: the parts ${args.digest} are not in $cache: run 'scripts/lab parts'" >&2
    exit 1
fi
remote() {
    ${["ssh", ...FAST, ...sshWords(login)].map(quote).join(" ")} "$@"
}
${asked ? withPassword(password) : ""}# links the parts; prints those that the machine lacks, and then links nothing
link() {
    # shellcheck disable=SC2016 # the machine's shell expands it
    ${linkInput}
export step=${quote(args.step)}
${renderScript({ create: link })}KUBELAB_LINK
}
# A machine of another lab may get hard links to the files meanwhile, or lose them. tar takes that for a change, and ends with 1.
read_parts() {
    # shellcheck disable=SC2086 # one word per file
    tar -C "$cache" --warning=no-file-changed -cf - $lacks || [ $? -eq 1 ]
}
lacks=$(link)
if [ -n "$lacks" ]; then
    read_parts |${asked ? " with_password |" : ""}
        remote ${asRoot(`sh -c "rm -rf ${incoming} && mkdir -p ${incoming} && tar --no-same-owner -xf - -C ${incoming} && mkdir ${arrived}"`)}
    link
fi`;
    return renderScript({ create: [send] }, "none");
}

/** The bash function that tells where parts are here. */
const CACHE_DIRECTORY = readFileSync(join(__dirname, "cache-directory.sh"), "utf8").trim();

/** Ciphers that processors do by themselves come first: hundreds of megabytes go through. */
const FAST = [
    ...["-o", "LogLevel=ERROR"],
    ...["-c", "aes128-gcm@openssh.com,aes256-gcm@openssh.com,chacha20-poly1305@openssh.com"],
];

/** The bash function that puts what sudo asks for before the input; a built-in writes it, so that no command line has it. */
function withPassword(lines: readonly string[]): string {
    return `with_password() {
    printf '%s\\n' ${lines.map(quote).join(" ")}
    cat
}
`;
}
