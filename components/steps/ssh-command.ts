import { quote } from "./script";

/** A machine's SSH server, who to be there, and by which files. Paths are absolute, or from the directory that ssh runs in. */
export interface SshLogin {
    /** Name of the machine, which its host key goes by. */
    readonly machine: string;
    readonly address: string;
    readonly port?: number | undefined;
    readonly user: string;
    readonly keyFile: string;
    readonly knownHosts: string;
}

/**
 * The words of the ssh command that logs in on a machine, for all who call OpenSSH: the caller adds options of its own before them and
 * a command after them. The machine proves itself with its pinned key and the user with theirs; nothing of the user's own SSH counts:
 * no config file, no agent, no other key, no other known host. It never asks anything.
 *
 * @see https://man.openbsd.org/ssh_config
 */
export function sshWords({ machine, address, port = 22, user, keyFile, knownHosts }: SshLogin): string[] {
    const options = [
        // `-i` would look for the file before it reads %% as %.
        `IdentityFile=${optionPath(keyFile)}`,
        "IdentitiesOnly=yes",
        "IdentityAgent=none",
        "BatchMode=yes",
        "StrictHostKeyChecking=yes",
        "CheckHostIP=no",
        "GlobalKnownHostsFile=/dev/null",
        `UserKnownHostsFile=${optionPath(knownHosts)}`,
        `HostKeyAlias=${machine}`,
    ];
    const words = options.flatMap((option) => ["-o", option]);
    return ["-F", "none", "-p", String(port), ...words, `${user}@${address}`];
}

/** The same as a person or a script types it. */
export function sshCommandLine(login: SshLogin): string {
    return ["ssh", ...sshWords(login)].map(quote).join(" ");
}

/** A path as an option has it: ssh takes several with blanks between them, and expands `%h` and its like and a tilde. */
function optionPath(path: string): string {
    const literal = (path.startsWith("~") ? `./${path}` : path).replaceAll("%", "%%");
    return /[\s"'\\]/.test(literal) ? `"${literal.replace(/["\\]/g, "\\$&")}"` : literal;
}
