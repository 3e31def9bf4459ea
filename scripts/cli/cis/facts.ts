import { parse } from "yaml";

/** A file or directory as a machine has it. */
export interface FileFact {
    readonly path: string;
    /** Octal digits, without the leading zero. */
    readonly mode: string;
    /** `user:group` */
    readonly owner: string;
}

/** What the checks look at on one machine. */
export interface Facts {
    /** By process that runs: its flags, without dashes. */
    readonly flags: Readonly<Record<string, Readonly<Record<string, string>>>>;
    readonly files: readonly FileFact[];
    /** By process: the content of its configuration file. */
    readonly configs: Readonly<Record<string, unknown>>;
}

/** The lines of facts.sh. */
export function parseFacts(text: string): Facts {
    const flags: Record<string, Record<string, string>> = {};
    const files: FileFact[] = [];
    const configs: Record<string, unknown> = {};
    for (const line of text.split("\n")) {
        const [kind = "", first = "", ...rest] = line.split(" ");
        const last = rest.join(" ");
        if (kind === "arg") {
            const known = (flags[first] ??= {});
            const [, name, , value] = /^--([^=]+)(=(.*))?$/.exec(last) ?? [];
            if (name !== undefined) {
                known[name] = value ?? "true";
            }
        } else if (kind === "file") {
            const [owner = "", ...path] = rest;
            files.push({ mode: first, owner, path: path.join(" ") });
        } else if (kind === "config") {
            configs[first] = parse(Buffer.from(last, "base64").toString());
        }
    }
    return { flags, files, configs };
}

/** A setting in a configuration file: `authentication.anonymous.enabled`. */
export function setting({ configs }: Facts, process: string, path: string): unknown {
    return path
        .split(".")
        .reduce<unknown>(
            (value, key) => (value as Record<string, unknown> | null | undefined)?.[key],
            configs[process],
        );
}
