import { isIPv4 } from "node:net";
import { UserError } from "../support/errors";
import { type Release, RELEASES } from "./rootfs-recipe";

/** What `network create` and `network delete` are asked. */
export interface NetworkRequest {
    readonly lab: string;
    /** IPv4 CIDR of the machines, e.g. `10.240.0.0/24`. */
    readonly network: string;
    /** The host's own address in `network`. */
    readonly gateway: string;
    /** TCP port of the image registry on `gateway`. */
    readonly registryPort: number;
    /** Parts directory whose `images/*.tar` the registry serves. */
    readonly partsDirectory: string;
    /** PEM. */
    readonly registryCertificate: string;
    /** PEM, secret. */
    readonly registryKey: string;
    /** Never ask whether an upstream registry can be reached: none can. Also `KUBELAB_OFFLINE=1`. */
    readonly offline: boolean;
    /** New machines have the parts on their disks from the start; else they are pushed over SSH. */
    readonly preload: boolean;
}

/** What `machine create` and `machine delete` are asked. */
export interface MachineRequest {
    readonly lab: string;
    readonly machine: string;
    /** IPv4 addresses with prefix length; the first is the machine's own. */
    readonly addresses: readonly string[];
    readonly gateway: string;
    /** Address by name, for /etc/hosts. */
    readonly hosts: Readonly<Record<string, string>>;
    /** The machine's ED25519 SSH host key in OpenSSH's format, secret. */
    readonly hostKey: string;
    /** Lines of root's authorized_keys. */
    readonly authorizedKeys: readonly string[];
    /** Debian release of its root file system. */
    readonly release: Release;
}

/** @throws UserError naming each field that is wrong. */
export function parseNetworkRequest(text: string): NetworkRequest {
    const input = new Fields(text);
    const request = {
        lab: input.text("lab", isLabel),
        network: input.text("network", isCidr),
        gateway: input.text("gateway", isIPv4),
        registryPort: input.port("registryPort"),
        partsDirectory: input.text("partsDirectory", (value) => value.startsWith("/")),
        registryCertificate: input.text("registryCertificate", isPem),
        registryKey: input.text("registryKey", isPem),
        preload: input.flag("preload"),
        offline: input.flag("offline") || process.env["KUBELAB_OFFLINE"] === "1",
    };
    input.check();
    return request;
}

/** @throws UserError naming each field that is wrong. */
export function parseMachineRequest(text: string): MachineRequest {
    const input = new Fields(text);
    const request = {
        lab: input.text("lab", isLabel),
        machine: input.text("machine", isLabel),
        addresses: input.list("addresses", isCidr),
        gateway: input.text("gateway", isIPv4),
        hosts: input.record("hosts", isIPv4),
        hostKey: input.text("hostKey", isPem),
        authorizedKeys: input.list("authorizedKeys", (line) => /^\S[^\n]*$/.test(line)),
        release: input.choice("release", RELEASES),
    };
    input.check();
    return request;
}

/** Just the names in a request: enough to delete. @throws UserError */
export function parseNames(text: string): { readonly lab: string; readonly machine: string | undefined } {
    const input = new Fields(text);
    const lab = input.text("lab", isLabel);
    const machine = input.has("machine") ? input.text("machine", isLabel) : undefined;
    input.check();
    return { lab, machine };
}

/** RFC 1123 label, short enough for every name made from it. */
function isLabel(value: string): boolean {
    return /^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/.test(value);
}

function isCidr(value: string): boolean {
    const [address = "", length = "", ...rest] = value.split("/");
    return isIPv4(address) && /^\d+$/.test(length) && Number(length) <= 32 && rest.length === 0;
}

function isPem(value: string): boolean {
    return value.startsWith("-----BEGIN ");
}

/** Reads one JSON object and collects what is wrong with its fields. Values are never repeated: some are secret. */
class Fields {
    private readonly values: Readonly<Record<string, unknown>>;
    private readonly wrong: string[] = [];

    constructor(text: string) {
        let value: unknown;
        try {
            value = JSON.parse(text);
        } catch {
            throw new UserError("Standard input must be one JSON object.");
        }
        if (typeof value !== "object" || value === null || Array.isArray(value)) {
            throw new UserError("Standard input must be one JSON object.");
        }
        this.values = value as Record<string, unknown>;
    }

    has(name: string): boolean {
        return this.values[name] !== undefined;
    }

    text(name: string, accept: (value: string) => boolean): string {
        const value = this.values[name];
        if (typeof value === "string" && accept(value)) {
            return value;
        }
        this.wrong.push(name);
        return "";
    }

    list(name: string, accept: (value: string) => boolean): readonly string[] {
        const value = this.values[name];
        if (
            Array.isArray(value) &&
            value.length > 0 &&
            value.every((item) => typeof item === "string" && accept(item))
        ) {
            return value as string[];
        }
        this.wrong.push(name);
        return [];
    }

    record(name: string, accept: (value: string) => boolean): Readonly<Record<string, string>> {
        const value = this.values[name] ?? {};
        if (
            typeof value === "object" &&
            Object.values(value).every((item) => typeof item === "string" && accept(item))
        ) {
            return value as Record<string, string>;
        }
        this.wrong.push(name);
        return {};
    }

    port(name: string): number {
        const value = this.values[name];
        if (typeof value === "number" && Number.isInteger(value) && value > 0 && value < 65536) {
            return value;
        }
        this.wrong.push(name);
        return 0;
    }

    /** One of the choices; the first where the field is missing. */
    choice<Choice extends string>(name: string, choices: readonly [Choice, ...Choice[]]): Choice {
        const value = this.values[name] ?? choices[0];
        const chosen = choices.find((choice) => choice === value);
        if (chosen === undefined) {
            this.wrong.push(name);
        }
        return chosen ?? choices[0];
    }

    flag(name: string): boolean {
        return this.values[name] === true;
    }

    check(): void {
        if (this.wrong.length > 0) {
            throw new UserError(`Missing or wrong in the request on standard input: ${this.wrong.join(", ")}.`);
        }
    }
}
