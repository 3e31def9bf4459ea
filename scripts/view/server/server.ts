import { randomBytes, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { UserError } from "../../support/errors";
import type { PageFile } from "./page-files";

/** Bytes of a request's body that are read. */
const LONGEST_BODY = 4096;

/** Nothing but what this server has; no forms, no frames. https://www.w3.org/TR/CSP3/ */
const HEADERS = {
    "Content-Security-Policy":
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; " +
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
} as const;

/** What is served beside the page's files, by name. */
export interface Answers {
    /** Sends a text now, and another whenever there is one. @returns what ends it. */
    readonly events: (send: (text: string) => void) => () => void;
    /** Answers with JSON. */
    readonly get: Readonly<Record<string, () => Promise<unknown>>>;
    /** Takes and answers with JSON. */
    readonly post: Readonly<Record<string, (body: unknown) => Promise<unknown>>>;
}

export interface RunningServer {
    /** With the token: whoever has it sees the page. */
    readonly url: string;
    readonly close: () => Promise<void>;
}

/**
 * Serves the page on 127.0.0.1, below a path that only who started it knows: `http://127.0.0.1:<port>/<token>/`. A path
 * is not sent to other ports of this host, as a cookie would be.
 *
 * @param port 0: a free one.
 * @throws UserError where the port is taken.
 */
export async function serve(
    files: Readonly<Record<string, PageFile>>,
    answers: Answers,
    port: number,
): Promise<RunningServer> {
    const token = randomBytes(24).toString("base64url");
    const server = createServer((request, response) => {
        handle(request, response, { files, answers, token }).catch((error: unknown) => {
            const code = error instanceof BadRequest ? error.code : error instanceof UserError ? 422 : 500;
            refuse(response, code, error instanceof Error ? error.message : String(error));
        });
    });
    await listening(server, port);
    const { port: bound } = server.address() as AddressInfo;
    return {
        url: `http://127.0.0.1:${bound}/${token}/`,
        close: () =>
            new Promise((resolve) => {
                server.close(() => resolve());
                server.closeAllConnections();
            }),
    };
}

function listening(server: Server, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
        server.once("error", (error: NodeJS.ErrnoException) =>
            reject(
                error.code === "EADDRINUSE"
                    ? new UserError(
                          `Port ${port} of 127.0.0.1 is taken: choose another one with --port, or leave it out.`,
                      )
                    : error,
            ),
        );
        server.listen(port, "127.0.0.1", resolve);
    });
}

class BadRequest extends Error {
    constructor(
        readonly code: number,
        message: string,
    ) {
        super(message);
    }
}

interface Served {
    readonly files: Readonly<Record<string, PageFile>>;
    readonly answers: Answers;
    readonly token: string;
}

async function handle(
    request: IncomingMessage,
    response: ServerResponse,
    { files, answers, token }: Served,
): Promise<void> {
    Object.entries(HEADERS).forEach(([name, value]) => response.setHeader(name, value));
    const own = `127.0.0.1:${request.socket.localPort}`;
    // A name that an attacker's DNS leads here is in the header, and not this address.
    if (request.headers.host !== own) {
        return refuse(response, 421, `This page is served as ${own} only.`);
    }
    const [, given = "", name, ...rest] = (request.url ?? "").split("/");
    if (!isSame(given, token) || name === undefined || rest.length > 0) {
        return refuse(response, 404, "Not found. The address of the page is the one that scripts/lab view printed.");
    }
    const { origin } = request.headers;
    if (origin !== undefined && origin !== `http://${own}`) {
        return refuse(response, 403, "Another page must not ask.");
    }
    const [file, get, post] = [ownOf(files, name), ownOf(answers.get, name), ownOf(answers.post, name)];
    if (request.method === "GET" && file !== undefined) {
        response.setHeader("Content-Type", file.type).end(file.text);
    } else if (request.method === "GET" && name === "events") {
        stream(response, answers.events);
    } else if (request.method === "GET" && get !== undefined) {
        sendJson(response, await get());
    } else if (request.method === "POST" && post !== undefined) {
        if (request.headers["content-type"] !== "application/json") {
            return refuse(response, 415, "JSON is expected.");
        }
        sendJson(response, await post(await readJson(request)));
    } else {
        refuse(response, file || get || post || name === "events" ? 405 : 404, "Not found.");
    }
}

/** A property of the object's own, whatever the name. */
function ownOf<T>(object: Readonly<Record<string, T>>, name: string): T | undefined {
    return Object.hasOwn(object, name) ? object[name] : undefined;
}

function isSame(given: string, token: string): boolean {
    const [one, other] = [Buffer.from(given), Buffer.from(token)];
    return one.length === other.length && timingSafeEqual(one, other);
}

function refuse(response: ServerResponse, code: number, message: string): void {
    if (!response.headersSent) {
        response.writeHead(code, { "Content-Type": "text/plain; charset=utf-8" });
    }
    response.end(`${message}\n`);
}

function sendJson(response: ServerResponse, value: unknown): void {
    response.setHeader("Content-Type", "application/json").end(JSON.stringify(value));
}

/** https://html.spec.whatwg.org/multipage/server-sent-events.html */
function stream(response: ServerResponse, events: Answers["events"]): void {
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    const end = events((text) => void response.write(`data: ${text}\n\n`));
    response.on("close", end);
}

async function readJson(request: IncomingMessage): Promise<unknown> {
    let text = "";
    for await (const chunk of request.setEncoding("utf8")) {
        text += chunk as string;
        if (text.length > LONGEST_BODY) {
            throw new BadRequest(413, "The request is too long.");
        }
    }
    try {
        return JSON.parse(text) as unknown;
    } catch {
        throw new BadRequest(400, "That is no JSON.");
    }
}
