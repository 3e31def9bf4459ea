import { mergeItems } from "./flag-rules";

/**
 * A long-running process of the cluster, described once: a systemd unit or a static pod is rendered from it, and nothing in it
 * depends on which.
 */
export interface Process {
    /** Name of the component and of its unit, e.g. `kube-apiserver`. */
    readonly name: string;
    readonly description: string;
    /** Upstream reference of the flags. */
    readonly documentation: string;
    /** `root`, or a user of the service's own. */
    readonly user: string;
    readonly flags: readonly Flag[];
    /** `notify`: the process tells systemd when it serves. */
    readonly type: "notify" | "exec";
    /** Units that start first when both start, at boot. */
    readonly after?: readonly string[];
    /** Directory below /var/lib that systemd makes for the user. */
    readonly stateDirectory?: string;
    /** Directory below /var/log that systemd makes for the user. */
    readonly logsDirectory?: string;
    /** Lines for the [Service] section beside the common ones. */
    readonly service?: readonly string[];
    /** Variables that are decided on the machine, by what runs before the process: unset where their file isn't there. */
    readonly environment?: {
        /** Absolute path of a file in the process's directory whose name ends in `.env`, with lines `NAME=value`. */
        readonly file: string;
        readonly names: readonly string[];
    };
    /** The bash command that succeeds once the process is healthy. */
    readonly health: string;
    /** Seconds that the health check is given after a start. */
    readonly healthDeadline: number;
    /** How it runs as a static pod; missing where it can't. */
    readonly pod?: PodDetails;
}

/** What a pod needs to know of a process beside its flags. */
export interface PodDetails {
    /** Image with a program in it that has the process's name. */
    readonly image: string;
    /** The directory of its configuration, keys and certificates, and of no other process's. */
    readonly directory: string;
    /** What the kubelet asks on 127.0.0.1, without credentials. */
    readonly probe: {
        readonly scheme: "HTTP" | "HTTPS";
        readonly port: number;
        /** Path that answers while the process needn't be started again. */
        readonly live: string;
        /** Path that answers while the process can serve. */
        readonly ready: string;
    };
    /** What is kept free for it, as quantities: `250m`, `100Mi`. */
    readonly cpu: string;
    readonly memory: string;
}

/** One command-line flag, without dashes. */
export interface Flag {
    readonly name: string;
    readonly value: string;
    /** Why it is set, where a reader would ask: a comment beside it in the unit. */
    readonly why?: string;
}

export function flag(name: string, value: string | number | boolean, why?: string): Flag {
    return { name, value: String(value), ...(why === undefined ? {} : { why }) };
}

/**
 * `flags` with the user's own ones in place of or after them.
 *
 * @param merged flags whose value the user's is added to.
 */
export function withOverrides(
    flags: readonly Flag[],
    overrides: Readonly<Record<string, string>> = {},
    merged: readonly string[] = [],
): Flag[] {
    const own = new Set(flags.map(({ name }) => name));
    return [
        ...flags.map((known) => {
            const value = overrides[known.name];
            if (value === undefined) {
                return known;
            }
            return merged.includes(known.name)
                ? flag(known.name, mergeItems(known.value, value), joined(known.why, "with those of kubelab:flags"))
                : flag(known.name, value, "set by kubelab:flags");
        }),
        ...Object.entries(overrides)
            .filter(([name]) => !own.has(name))
            .map(([name, value]) => flag(name, value, "set by kubelab:flags")),
    ];
}

function joined(...reasons: readonly (string | undefined)[]): string {
    return reasons.filter((reason) => reason !== undefined).join("; ");
}

/** What a process that isn't root gives up; https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html */
export const HARDENING: readonly string[] = [
    "NoNewPrivileges=yes",
    "CapabilityBoundingSet=",
    "ProtectSystem=strict",
    "ProtectHome=yes",
    "PrivateTmp=yes",
    "PrivateDevices=yes",
    "ProtectKernelTunables=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelLogs=yes",
    "ProtectControlGroups=yes",
    "RestrictSUIDSGID=yes",
    "RestrictRealtime=yes",
    "RestrictNamespaces=yes",
    "LockPersonality=yes",
    "MemoryDenyWriteExecute=yes",
    "SystemCallArchitectures=native",
    "UMask=0077",
];

/**
 * The systemd unit of a process.
 *
 * @param binary absolute path of the executable.
 * @param fingerprint says which executable it is: a new version changes the unit, and so restarts just this service.
 */
export function renderUnit(process: Process, binary: string, fingerprint: string): string {
    const { after = [] } = process;
    const words = process.flags.flatMap((each, position) => {
        const last = position === process.flags.length - 1;
        const comment = each.why === undefined ? [] : [`    # ${each.why}`];
        return [...comment, `    ${unitWord(`--${each.name}=${each.value}`)}${last ? "" : " \\"}`];
    });
    return [
        "[Unit]",
        `Description=${process.description}`,
        `Documentation=${process.documentation}`,
        `After=${["network-online.target", ...after.map((unit) => `${unit}.service`)].join(" ")}`,
        "Wants=network-online.target",
        "StartLimitIntervalSec=0",
        "",
        "[Service]",
        `Type=${process.type}`,
        ...(process.user === "root" ? [] : [`User=${process.user}`, `Group=${process.user}`]),
        ...(process.stateDirectory ? [`StateDirectory=${process.stateDirectory}`, "StateDirectoryMode=0700"] : []),
        ...(process.logsDirectory ? [`LogsDirectory=${process.logsDirectory}`, "LogsDirectoryMode=0700"] : []),
        `# ${fingerprint}`,
        `ExecStart=${binary}${words.length > 0 ? " \\" : ""}`,
        ...words,
        "Restart=always",
        "RestartSec=1",
        "TimeoutStartSec=infinity",
        "LimitNOFILE=1048576",
        ...(process.user === "root" ? [] : HARDENING),
        ...(process.environment === undefined ? [] : [`EnvironmentFile=-${process.environment.file}`]),
        ...(process.service ?? []),
        "",
        "[Install]",
        "WantedBy=multi-user.target",
        "",
    ].join("\n");
}

/** A word as systemd's command-line syntax reads it back unchanged: `%` and `$` doubled, quoted as a whole where it has blanks. */
function unitWord(word: string): string {
    const escaped = word.replaceAll("%", "%%").replaceAll("$", "$$$$");
    return /[\s"'\\;]/.test(escaped) ? `"${escaped.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"` : escaped;
}
