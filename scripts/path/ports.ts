import type { Protocol } from "../inspect/objects";
import { UserError } from "../support/errors";

/** A port of a pod or a service. */
export interface NamedPort {
    readonly name?: string | undefined;
    readonly port: number;
    readonly protocol: Protocol;
}

/**
 * The port that is meant: by number or name, or the only one.
 *
 * @param preferred protocol where two have the same number.
 * @throws UserError with the ports that there are.
 */
export function onePort(
    what: string,
    text: string | undefined,
    ports: readonly NamedPort[],
    preferred?: Protocol,
): NamedPort {
    const list = ports.map(
        ({ name, port, protocol }) => `${port}${name === undefined ? "" : ` (${name})`}/${protocol}`,
    );
    const matching =
        text === undefined ? ports : ports.filter(({ name, port }) => name === text || String(port) === text);
    if (text !== undefined && matching.length === 0) {
        throw new UserError(
            `${what} has no port ${text}. ${list.length === 0 ? "It has none." : `Ports: ${list.join(", ")}.`}`,
        );
    }
    const chosen =
        matching.length > 1 && text !== undefined
            ? (matching.find(({ protocol }) => protocol === preferred) ?? matching[0])
            : matching[0];
    if (chosen === undefined) {
        throw new UserError(`${what} declares no port: say which, as NAME:PORT.`);
    }
    if (text === undefined && ports.length > 1) {
        throw new UserError(`${what} has several ports: say which, as NAME:PORT. Ports: ${list.join(", ")}.`);
    }
    return chosen;
}

/** @throws UserError for what is no port, or none. */
export function requiredPort(what: string, text: string | undefined): number {
    if (text === undefined || !/^\d{1,5}$/.test(text) || Number(text) < 1 || Number(text) > 65_535) {
        throw new UserError(
            text === undefined
                ? `Which port of ${what}? Say it as ${what.split(" ").at(-1) ?? what}:PORT.`
                : `"${text}" is no port: a number from 1 to 65535.`,
        );
    }
    return Number(text);
}

/** @throws UserError for a protocol that a probe can't be. */
export function usable(protocol: Protocol, what: string): Protocol {
    if (protocol === "SCTP") {
        throw new UserError(`${what}: that port is SCTP, and a probe is TCP or UDP.`);
    }
    return protocol;
}
