import * as pulumi from "@pulumi/pulumi";
import type { Machine } from "../machines/machine";

/** Whoever logs in on a machine, and what sudo asks of them. */
export type Login = Pick<Machine, "user" | "sudoPassword">;

/** As `commandAsRoot` needs to know it: whether there is a password, and not which. */
interface Asked {
    readonly user: string;
    readonly sudoPassword?: unknown;
}

/** The line after which the input is the command's own. */
const MARK = "KUBELAB-INPUT";

/**
 * The command line that runs `command` as root. It is the same whatever the password is: that comes on standard input, before the
 * command's own (`inputAsRoot`). Where sudo doesn't ask for it after all, it is read and dropped: it never gets to the command.
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

/** Lines before the standard input of a command as root, for bash's `printf`; none where nothing is asked. */
export function passwordLines({ user }: Asked, sudoPassword: string | undefined): readonly string[] {
    return user === "root" || sudoPassword === undefined ? [] : [sudoPassword, MARK];
}

/** What to give the command of `commandAsRoot` as its standard input; secret where it has the password in it. */
export function inputAsRoot(login: Login, input: pulumi.Output<string>): pulumi.Output<string> {
    const { sudoPassword } = login;
    if (sudoPassword === undefined || login.user === "root") {
        return input;
    }
    return pulumi.secret(
        pulumi
            .all([sudoPassword, input])
            .apply(([password, text]) => [...passwordLines(login, password), text].join("\n")),
    );
}
