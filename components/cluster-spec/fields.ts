import { z } from "zod";
import { type Cidr, contains, formatCidr, overlaps, parseAddress, parseCidr } from "./cidr";

/** Reports what is wrong with a value, in the two halves that `Problem` has. */
export function fault(context: z.RefinementCtx, problem: string, remedy: string): never {
    context.addIssue({ code: "custom", message: problem, params: { remedy } });
    return z.NEVER;
}

/** A text that `check` accepts by returning undefined. */
function checkedText(check: (text: string) => readonly [problem: string, remedy: string] | undefined) {
    return z.string().superRefine((text, context) => {
        const wrong = check(text);
        if (wrong !== undefined) {
            fault(context, ...wrong);
        }
    });
}

const RESERVED = ["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4"].map((text) => ({
    text,
    cidr: parseCidr(text) as Cidr,
}));

/** Any IPv4 range. */
export const anyCidr = z.string().transform((text, context): Cidr => {
    const parsed = parseCidr(text);
    return "problem" in parsed ? fault(context, parsed.problem, parsed.remedy) : parsed;
});

/** An IPv4 range that pods, services and machines can have. */
export const cidr = anyCidr.superRefine((range, context) => {
    const reserved = RESERVED.find((each) => overlaps(each.cidr, range));
    if (reserved !== undefined) {
        fault(context, `overlaps the reserved range ${reserved.text}`, "use a private range such as 10.99.0.0/16");
    }
});

const PRIVATE = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"].map((text) => parseCidr(text) as Cidr);

/** A range of RFC 1918. */
export const privateCidr = cidr.superRefine((range, context) => {
    if (!PRIVATE.some((outer) => contains(outer, range))) {
        fault(context, "is not a private range", `use one inside ${PRIVATE.map(formatCidr).join(", ")}`);
    }
});

/** Whole number between two limits; texts such as "2" count, because the config of a stack is text. */
export function integer(least: number, most: number) {
    return z.unknown().transform((value, context): number => {
        const number = typeof value === "string" && /^-?\d+$/.test(value.trim()) ? Number(value) : value;
        if (typeof number !== "number" || !Number.isInteger(number)) {
            return fault(context, "is not a whole number", `give one between ${least} and ${most}`);
        }
        if (number < least || number > most) {
            return fault(context, number < least ? "is too small" : "is too large", `use ${least} to ${most}`);
        }
        return number;
    });
}

export const port = integer(1, 65535);

export const toggle = z.unknown().transform((value, context): boolean => {
    if (value === true || value === "true") {
        return true;
    }
    return value === false || value === "false" ? false : fault(context, "is not a switch", "use true or false");
});

const LABEL = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;

/** RFC 1123 label of at most `longest` characters. */
export function label(longest: number) {
    return checkedText((text) => {
        if (text.length > longest) {
            return [`has ${text.length} characters`, `use at most ${longest}`];
        }
        if (LABEL.test(text)) {
            return undefined;
        }
        const near = asLabel(text);
        const remedy = near === "" ? 'use lower-case letters, digits and "-"' : `did you mean "${near}"?`;
        return ["is not an RFC 1123 label", remedy];
    });
}

function asLabel(text: string): string {
    return text
        .toLowerCase()
        .replace(/[^a-z0-9]+/g, "-")
        .replace(/^-|-$/g, "");
}

/** DNS domain in lower case without the dot at its end (RFC 1123). */
export const domain = checkedText((text) => {
    if (text.length > 200) {
        return [`has ${text.length} characters`, "use at most 200, so that service names fit before it"];
    }
    if (text.split(".").every((part) => LABEL.test(part) && part.length <= 63)) {
        return undefined;
    }
    const near = text.split(".").map(asLabel).filter(Boolean).join(".");
    return ["is not a DNS domain", near === "" ? 'write it like "cluster.local"' : `did you mean "${near}"?`];
});

/** Version such as 1.36.3, without a "v" before it. */
export const version = checkedText((text) => {
    if (/^\d+\.\d+(\.\d+)?(-[0-9A-Za-z.-]+)?$/.test(text)) {
        return undefined;
    }
    const near = /^v(\d+\.\d+.*)$/.exec(text)?.[1];
    return ["is not a version", near === undefined ? "write it like 1.36.3" : `did you mean "${near}"?`];
});

export const ipv4Address = checkedText((text) =>
    parseAddress(text) === undefined ? ["is not an IPv4 address", "write it like 192.168.1.10"] : undefined,
);

/** IPv4 address or DNS name of a machine. */
export const hostAddress = checkedText((text) => {
    const numeric = /^[0-9.]+$/.test(text);
    const known = numeric ? parseAddress(text) !== undefined : text.split(".").every((part) => LABEL.test(part));
    return known ? undefined : ["is not an IPv4 address or host name", "write it like 192.168.1.10 or node.example"];
});

/** `HOST` or `HOST:PORT`; the other port where it names none. */
export function endpoint(usual: number) {
    return z.string().transform((text, context): { readonly host: string; readonly port: number } => {
        const [, host = "", given] = /^([^:/]+)(?::(\d+))?$/.exec(text) ?? [];
        const number = Number(given ?? usual);
        return hostAddress.safeParse(host).success && host !== "" && number >= 1 && number <= 65535
            ? { host, port: number }
            : fault(context, "is not a host with a port", `write it like lb.example:${usual} or 192.168.1.5`);
    });
}

export const absolutePath = checkedText((text) =>
    text.startsWith("/") ? undefined : ["is not an absolute path", 'start it with "/"'],
);

/** Name of a user on a machine, as useradd takes it. */
export const userName = checkedText((text) =>
    /^[a-z_][a-z0-9_.-]{0,31}$/i.test(text) ? undefined : ["is not a user name", 'write it like "debian"'],
);

/** /etc/machine-id, https://www.freedesktop.org/software/systemd/man/latest/machine-id.html */
export const machineId = checkedText((text) =>
    /^[0-9a-f]{32}$/.test(text) ? undefined : ["is not a machine id", "write the 32 digits of /etc/machine-id"],
);

/** A secret line of text; no message repeats it. */
export const password = z.string().superRefine((text, context) => {
    if (/[\u0000-\u001f\u007f]/.test(text)) {
        fault(context, "has a line break or control character in it", "give it on one line");
    }
});

/** OpenSSH public key, as `ssh-keyscan` prints it after the host's name. */
export const publicKey = checkedText((text) =>
    /^(ssh-(ed25519|rsa)|ecdsa-sha2-nistp\d+) [A-Za-z0-9+/]+=*( .*)?$/.test(text)
        ? undefined
        : ["is not an OpenSSH public key", 'write it like "ssh-ed25519 AAAA…", see /etc/ssh/ssh_host_ed25519_key.pub'],
);

/** URL of an image registry: http or https, and no credentials, which would be readable in the stack config. */
export const registryUrl = z.string().superRefine((text, context) => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url === undefined || !["http:", "https:"].includes(url.protocol)) {
        fault(context, "is not an http or https URL", "write it like https://mirror.example:5000");
    } else if (url.username !== "" || url.password !== "") {
        fault(context, "has credentials in it", "remove them: the stack config is readable");
    }
});

export const awsRegion = checkedText((text) =>
    /^[a-z]{2}(-[a-z]+)+-\d+$/.test(text) ? undefined : ["is not a region of AWS", "write it like eu-central-1"],
);

export const instanceType = checkedText((text) =>
    /^[a-z][a-z0-9-]*\.[a-z0-9-]+$/.test(text)
        ? undefined
        : ["is not an instance type", "write it like t3.medium, see https://aws.amazon.com/ec2/instance-types/"],
);

/** Id of an AMI, or `latest` for the newest one of the release. */
export const ami = checkedText((text) =>
    /^(latest|ami-([0-9a-f]{8}|[0-9a-f]{17}))$/.test(text)
        ? undefined
        : ["is not an AMI", 'write its id like ami-0123456789abcdef0, or "latest"'],
);

/** https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions */
export const awsTags = z.record(z.string(), z.string()).superRefine((tags, context) => {
    for (const [key, value] of Object.entries(tags)) {
        if (/^(aws:|kubelab:|Name$)/i.test(key) || key === "" || key.length > 128) {
            fault(
                context,
                `has a tag "${key}"`,
                'use other keys than "Name", "aws:…" and "kubelab:…", of 1 to 128 characters',
            );
        } else if (value.length > 256) {
            fault(context, `has a value of ${value.length} characters for "${key}"`, "use at most 256");
        }
    }
    if (Object.keys(tags).length > 40) {
        fault(context, `has ${Object.keys(tags).length} tags`, "use at most 40");
    }
});
