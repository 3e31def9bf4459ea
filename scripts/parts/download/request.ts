import type { Dispatcher } from "undici";
import { UserError } from "../../support/errors";
import { PROXY_VARIABLES } from "./proxy";
import { late } from "../../support/late";

/** A server that can't be reached, doesn't answer, or breaks off: asking again later, or another source, may help. */
export class NetworkError extends UserError {}

/** The server answered that it doesn't have what was asked for (404). */
export class NotFoundError extends UserError {}

/** In milliseconds. */
export interface Timeouts {
    /** From the name look-up to the head of the answer. */
    readonly answer: number;
    /** Between two pieces of the answer. */
    readonly idle: number;
}

export interface RequestOptions {
    readonly timeouts: Timeouts;
    readonly headers?: Readonly<Record<string, string>>;
    /** Ends the request. */
    readonly signal?: AbortSignal | undefined;
    /** Status codes other than 200 to 299 that `read` deals with. */
    readonly accept?: readonly number[];
}

/**
 * Asks for a URL, following redirects, and reads the answer.
 *
 * @param read gets the answer and a function to call for every piece of it that arrives.
 * @throws NetworkError where the server can't be reached, is overloaded, or says nothing for longer than the time-outs allow.
 * @throws NotFoundError for 404, UserError for other refusals.
 */
export async function request<T>(
    url: string,
    options: RequestOptions,
    read: (response: Response, alive: () => void) => Promise<T>,
): Promise<T> {
    const controller = new AbortController();
    const { timeouts, signal, accept = [] } = options;
    let hung: string | undefined;
    let timer: NodeJS.Timeout | undefined;
    const within = (limit: number, problem: string): void => {
        clearTimeout(timer);
        timer = setTimeout(() => {
            hung = `${problem} for ${limit / 1000} s`;
            controller.abort();
        }, limit);
    };
    signal?.addEventListener("abort", () => controller.abort(), { signal: controller.signal });
    try {
        signal?.throwIfAborted();
        within(timeouts.answer, "the server gave no answer");
        const headers = { "user-agent": "kubelab", ...options.headers };
        const response = await fetch(url, { headers, signal: controller.signal, ...(await throughProxies()) });
        refuseDowngrade(url, response.url);
        if (!response.ok && !accept.includes(response.status)) {
            throw refusal(url, response);
        }
        const alive = (): void => within(timeouts.idle, "the server sent nothing");
        alive();
        return await read(response, alive);
    } catch (error) {
        if (hung !== undefined) {
            throw new NetworkError(`${url}: ${hung}`);
        }
        throw isNetworkFailure(error) ? new NetworkError(`${url}: ${reasonOf(error)}`) : error;
    } finally {
        clearTimeout(timer);
        // Ends what of the answer wasn't read.
        controller.abort();
    }
}

let proxies: Promise<Dispatcher> | undefined;

/** What has fetch() go by the proxies of the environment: by itself it doesn't. Redirects may lead where others are needed. */
async function throughProxies(): Promise<{ readonly dispatcher?: never }> {
    if (PROXY_VARIABLES.every((name) => !process.env[name])) {
        return {};
    }
    proxies ??= late<typeof import("undici")>(require, "undici").then(
        ({ EnvHttpProxyAgent }) => new EnvHttpProxyAgent(),
    );
    // Node.js has the same types under another name.
    return { dispatcher: (await proxies) as never };
}

/** @throws UserError where a redirect leads from TLS to a connection without: anyone on the way could have made the answer. */
export function refuseDowngrade(asked: string, answered: string): void {
    if (asked.startsWith("https:") && !answered.startsWith("https:")) {
        throw new UserError(
            `${asked} leads to ${answered}, which isn't protected by TLS: nothing was downloaded from it`,
        );
    }
}

function refusal(url: string, { status, statusText }: Response): UserError {
    const answer = `${url}: the server answered ${`${status} ${statusText}`.trim()}`;
    if (status === 404) {
        return new NotFoundError(answer);
    }
    return status === 429 || status >= 500 ? new NetworkError(answer) : new UserError(answer);
}

/** fetch() reports every failure of the network as a TypeError that has its cause. */
function isNetworkFailure(error: unknown): error is Error & { readonly cause: Error } {
    const { name, cause } = error as Partial<Error>;
    return name === "TypeError" && typeof cause === "object" && cause !== null;
}

const REASONS: Readonly<Record<string, string>> = {
    EAI_AGAIN: "its name can't be looked up",
    ENOTFOUND: "its name can't be looked up",
    ECONNREFUSED: "the server refuses the connection",
    ECONNRESET: "the connection broke off",
    UND_ERR_SOCKET: "the connection broke off",
};

function reasonOf({ cause }: { readonly cause: Error & { readonly code?: string } }): string {
    const reason = REASONS[cause.code ?? ""];
    return reason === undefined ? cause.message || (cause.code ?? "the network failed") : `${reason} (${cause.code})`;
}
