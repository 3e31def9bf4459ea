import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import { run, tryRun } from "../../machines/commands";
import { AS_ROOT } from "../../machines/names";
import { UserError } from "../../support/errors";
import { homeDirectory } from "../../support/paths";
import type { Stack } from "../stack";

/** What `start` reads of its environment; systemd gives a unit next to nothing. */
const VARIABLES = ["PATH", "HOME", "KUBELAB_CACHE", "XDG_CACHE_HOME", "XDG_STATE_HOME"];

/** Options for the manager that has the unit: the system's, or an ordinary user's own. */
const MANAGER = AS_ROOT ? [] : ["--user"];

/**
 * Has systemd start the machines of a lab whenever this host boots. https://www.freedesktop.org/software/systemd/man/latest/systemd.service.html
 *
 * @returns the path of the unit.
 * @throws UserError where systemd isn't there.
 */
export function installBootUnit(stack: Stack): string {
    if (!existsSync("/run/systemd/system")) {
        throw new UserError("systemd doesn't run here, so nothing can start the lab at boot.");
    }
    const path = unitPath(stack);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, renderBootUnit(stack, process.env), { mode: 0o644 });
    run("systemctl", [...MANAGER, "daemon-reload"]);
    run("systemctl", [...MANAGER, "enable", "--quiet", unitName(stack)]);
    if (!AS_ROOT) {
        // Without that a user's units start when they log in.
        run("loginctl", ["enable-linger"]);
    }
    return path;
}

/** @returns what was done; undefined where there is no such unit, or it is another checkout's. */
export function removeBootUnit(stack: Stack): string | undefined {
    const path = unitPath(stack);
    if (!existsSync(path) || !readFileSync(path, "utf8").split("\n").includes(condition(stack))) {
        return undefined;
    }
    tryRun("systemctl", [...MANAGER, "disable", "--quiet", unitName(stack)]);
    rmSync(path);
    tryRun("systemctl", [...MANAGER, "daemon-reload"]);
    return `removed: ${path}`;
}

/** Its machines go on when the unit ends: they have units, or cgroups, of their own. */
export function renderBootUnit(stack: Stack, environment: NodeJS.ProcessEnv): string {
    const variables = VARIABLES.flatMap((name) => {
        const value = environment[name];
        return value ? [`Environment=${quoted(`${name}=${value}`)}`] : [];
    });
    return `[Unit]
Description=Machines of the kubelab stack ${stack.name}
${condition(stack)}
After=network.target

[Service]
Type=oneshot
RemainAfterExit=yes
KillMode=process
TimeoutStartSec=10min
${variables.join("\n")}
ExecStart=${quoted(program(stack))} start --stack ${stack.name}

[Install]
WantedBy=${AS_ROOT ? "multi-user.target" : "default.target"}
`;
}

function program({ repository }: Stack): string {
    return join(repository, "scripts/lab");
}

/** A checkout that is gone is no failure of the boot. */
function condition(stack: Stack): string {
    return `ConditionPathExists=${program(stack).replaceAll("%", "%%")}`;
}

/** A host has one lab of a name. */
function unitName(stack: Stack): string {
    return `kubelab-${stack.name}.service`;
}

function unitPath(stack: Stack): string {
    const { XDG_CONFIG_HOME: config } = process.env;
    const own = config && isAbsolute(config) ? config : join(homeDirectory(), ".config");
    return join(AS_ROOT ? "/etc/systemd/system" : join(own, "systemd/user"), unitName(stack));
}

/** As systemd reads it, with its specifiers taken literally. */
function quoted(text: string): string {
    return `"${text.replace(/["\\]/g, "\\$&").replaceAll("%", "%%")}"`;
}
