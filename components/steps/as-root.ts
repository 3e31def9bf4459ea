/** As `commandAsRoot` needs to know it: whether there is a password, and not which. */
interface Asked {
    readonly user: string;
    readonly sudoPassword?: unknown;
}

/** The line after which the input is the command's own. */
const MARK = "KUBELAB-INPUT";

/**
 * The command line that runs `command` as root. It does not depend on the password, which comes on standard input,
 * before the command's own (`inputAsRoot`). Where sudo doesn't ask for it after all, it is read and dropped: it never
 * gets to the command.
 *
 * @param command words of a POSIX shell without quotes in them.
 */
export function commandAsRoot({ user, sudoPassword }: Asked, command: string): string {
    if (user === "root") {
        return command;
    }
    if (sudoPassword === undefined) {
        return `sudo -n ${command}`;
    }
    return `sudo -S -p "" bash -c 'while IFS= read -r line && [ "$line" != ${MARK} ]; do :; done; exec "$@"' sudo ${command}`;
}

/** The user of a machine, and their password for sudo, if needed. */
export interface Login {
    readonly user: string;
    readonly sudoPassword?: string | undefined;
}

/** Lines before the standard input of a command as root; none where nothing is asked. */
export function passwordLines({ user, sudoPassword }: Login): readonly string[] {
    return user === "root" || sudoPassword === undefined ? [] : [sudoPassword, MARK];
}

/** What to give the command of `commandAsRoot` as its standard input. */
export function inputAsRoot(login: Login, text: string): string {
    return [...passwordLines(login), text].join("\n");
}
