import { dirname, join } from "node:path";
import { compareGoVersions } from "../../parts/build/toolchain";
import type { Check } from "./check";
import { commandsOfBuild } from "./commands";
import type { Host } from "./host";
import type { PlannedLab } from "./lab";

/** What gets the parts where they aren't in the cache, and which engine runs the program. */
export function softwareChecks(host: Host, lab: PlannedLab): Check[] {
    // The switch is built here wherever the parts come from.
    const ofSwitch = lab.networking === "user" ? [go(host, lab.parts.go, "the lab's switch")] : [];
    return [...parts(host, lab), ...ofSwitch, engine(host, lab)];
}

function parts(host: Host, lab: PlannedLab): Check[] {
    const { source, cached } = lab.parts;
    if (cached) {
        return [{ name: "parts", state: "ok", detail: `in ${lab.cache}` }];
    }
    switch (source) {
        case "directory":
            return [{ name: "parts", state: "info", detail: "not in the cache: they come from the directory given" }];
        case "download":
            return [{ name: "parts", state: "info", detail: "not in the cache: they are downloaded" }];
        case "build":
            return [
                { name: "parts", state: "info", detail: "not in the cache: they are built, once" },
                ...[go(host, lab.parts.go), commandsOfBuild(host)],
            ];
        case "auto":
            return [
                { name: "parts", state: "info", detail: "not in the cache: the source auto gets them" },
                // A download needs neither.
                ...[go(host, lab.parts.go), commandsOfBuild(host)].map(onlyForBuild),
            ];
    }
}

function onlyForBuild({ name, state, detail, remedy }: Check): Check {
    return {
        name,
        state: state === "missing" ? "warning" : state,
        detail: state === "missing" ? `${detail}; needed if the parts have to be built` : detail,
        ...(remedy === undefined ? {} : { remedy }),
    };
}

/** https://go.dev/doc/toolchain: one from 1.21 on gets a newer one, unless GOTOOLCHAIN forbids it. */
function go(host: Host, needed: string, built = "the parts"): Check {
    const name = built === "the parts" ? "Go" : `Go for ${built}`;
    const remedy = `install Go ${needed} or later: https://go.dev/doc/install`;
    const program = host.findGo();
    if (program === undefined) {
        return { name, state: "missing", detail: `none here; building ${built} takes Go ${needed} or later`, remedy };
    }
    const root = dirname(dirname(program));
    const version = /^go\S+/.exec(host.read(join(root, "VERSION")) ?? "")?.[0];
    if (version === undefined) {
        return {
            name,
            state: "warning",
            detail: `${program}, of unknown version: ${root} has no VERSION file`,
            remedy,
        };
    }
    if (compareGoVersions(version, needed) >= 0) {
        return { name, state: "ok", detail: `${program}, ${version}` };
    }
    const own = /^GOTOOLCHAIN=(\S+)$/m.exec(host.read(join(root, "go.env")) ?? "")?.[1];
    const toolchain = host.environment["GOTOOLCHAIN"] ?? own ?? "auto";
    const switches = toolchain === "auto" || toolchain.endsWith("+auto");
    if (compareGoVersions(version, "1.21") >= 0 && switches) {
        return { name, state: "ok", detail: `${program}, ${version}; it gets Go ${needed} by itself` };
    }
    return {
        name,
        state: "missing",
        detail: `${program} is ${version}${switches ? "" : `, kept there by GOTOOLCHAIN=${toolchain}`}; the parts need Go ${needed}`,
        remedy,
    };
}

/** The version of the CLI on PATH is not checked here: that takes a process. */
function engine(host: Host, lab: PlannedLab): Check {
    const onPath = host.find("pulumi");
    const detail =
        onPath !== undefined
            ? `Pulumi CLI ${onPath}, if it is new enough`
            : lab.cliCached
              ? `Pulumi CLI in ${lab.cache}`
              : "Pulumi CLI not in the cache: it is installed, or built by Go where Pulumi's installer can't be reached";
    return { name: "engine", state: "info", detail };
}
