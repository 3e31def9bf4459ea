import { request } from "node:http";
import { pageFiles } from "../../../scripts/view/server/page-files";
import { type Answers, type RunningServer, serve } from "../../../scripts/view/server/server";
import { UserError } from "../../../scripts/support/errors";

interface Answer {
    readonly status: number;
    readonly headers: Readonly<Record<string, string | string[] | undefined>>;
    readonly text: string;
}

let server: RunningServer;
let base: URL;
const ended = jest.fn();
const took = jest.fn();
const answers: Answers = {
    events: (send) => {
        send("first");
        return ended;
    },
    get: { tour: () => Promise.resolve(["a step"]) },
    post: {
        path: (body) => {
            took(body);
            return Promise.resolve({ hops: [] });
        },
        refused: () => Promise.reject(new UserError("There is no pod of that name.")),
    },
};

beforeAll(async () => {
    server = await serve({ "": { type: "text/html; charset=utf-8", text: "<p>page</p>" } }, answers, 0);
    base = new URL(server.url);
});
afterAll(() => server.close());

function send(
    path: string,
    options: { readonly method?: string; readonly headers?: Record<string, string>; readonly body?: string } = {},
): Promise<Answer> {
    return new Promise((resolve, reject) => {
        const { method = "GET", headers = {}, body } = options;
        const asked = request({ host: "127.0.0.1", port: base.port, path, method, headers }, (answer) => {
            let text = "";
            answer.setEncoding("utf8").on("data", (chunk: string) => {
                text += chunk;
                if (answer.headers["content-type"] === "text/event-stream") {
                    answer.destroy();
                }
            });
            answer.on("close", () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }));
        });
        asked.on("error", reject);
        asked.end(body);
    });
}

const own = (name: string): string => `${base.pathname}${name}`;
const json = { "Content-Type": "application/json" };

describe("the server of the page", () => {
    it("listens on 127.0.0.1, below a path that cannot be guessed", () => {
        expect(base.hostname).toBe("127.0.0.1");
        expect(base.pathname).toMatch(/^\/[\w-]{32}\/$/);
    });

    it("makes another path for another run", async () => {
        const other = await serve({}, answers, 0);
        expect(new URL(other.url).pathname).not.toBe(base.pathname);
        await other.close();
    });

    it("gives the page to who has the path", async () => {
        const { status, text } = await send(own(""));
        expect({ status, text }).toEqual({ status: 200, text: "<p>page</p>" });
    });

    it.each(["/", "/events", "/tour", `/${"A".repeat(32)}/`, `/${"A".repeat(32)}/events`, "//events"])(
        "refuses %s, which lacks the token",
        async (path) => {
            const { status, text } = await send(path);
            expect(status).toBe(404);
            expect(text).not.toContain("page</p>");
            expect(text).not.toContain(base.pathname);
        },
    );

    it.each(["evil.example", "localhost", "127.0.0.1", "127.0.0.1:1"])("refuses the Host %p", async (Host) => {
        expect((await send(own(""), { headers: { Host } })).status).toBe(421);
    });

    it("refuses what another page asks", async () => {
        const { status } = await send(own("tour"), { headers: { Origin: "http://evil.example" } });
        expect(status).toBe(403);
    });

    it("has a policy that allows nothing from elsewhere, on every answer", async () => {
        for (const path of [own(""), own("nothing"), "/"]) {
            const { headers } = await send(path);
            expect(headers["content-security-policy"]).toContain("default-src 'none'");
            expect(headers["content-security-policy"]).not.toMatch(/unsafe|https?:|\*|data:/);
            expect(headers["cache-control"]).toBe("no-store");
            expect(headers["referrer-policy"]).toBe("no-referrer");
            expect(headers["access-control-allow-origin"]).toBeUndefined();
        }
    });

    it("sends events, and stops when nobody listens", async () => {
        const { text, headers } = await send(own("events"));
        expect(text).toBe("data: first\n\n");
        expect(headers["content-type"]).toBe("text/event-stream");
        await new Promise((resolve) => setTimeout(resolve, 50));
        expect(ended).toHaveBeenCalled();
    });

    it("takes JSON only, and not by GET", async () => {
        const body = JSON.stringify({ from: "here" });
        expect((await send(own("path"), { method: "POST", headers: json, body })).text).toBe('{"hops":[]}');
        expect(took).toHaveBeenCalledWith({ from: "here" });
        expect((await send(own("path"), { method: "POST", body })).status).toBe(415);
        expect((await send(own("path"))).status).toBe(405);
        expect((await send(own("tour"), { method: "POST", headers: json, body })).status).toBe(405);
        expect((await send(own("path"), { method: "POST", headers: json, body: "{" })).status).toBe(400);
        expect((await send(own("path"), { method: "POST", headers: json, body: `"${"a".repeat(5000)}"` })).status).toBe(
            413,
        );
    });

    it("says what a person did wrong", async () => {
        const { status, text } = await send(own("refused"), { method: "POST", headers: json, body: "{}" });
        expect({ status, text }).toEqual({ status: 422, text: "There is no pod of that name.\n" });
    });

    it.each(["constructor", "__proto__", "toString", "events/", "../"])(
        "has nothing under the name %s",
        async (name) => {
            expect((await send(own(name))).status).toBe(404);
        },
    );

    it("names a port that is taken", async () => {
        await expect(serve({}, answers, Number(base.port))).rejects.toThrow(/Port \d+ of 127.0.0.1 is taken/);
    });
});

test("the page's files name no other host", () => {
    const files = pageFiles();
    expect(Object.keys(files).sort()).toEqual(["", "icon.svg", "page.css", "page.js"]);
    for (const [name, { text }] of Object.entries(files)) {
        expect(text.length).toBeGreaterThan(100);
        const urls = [...text.matchAll(/https?:\/\/[^\s"'`)<]+/g)].map(([url]) => url);
        // Names of XML vocabularies, which nobody asks for.
        expect({ name, urls: urls.filter((url) => !url.startsWith("http://www.w3.org/")) }).toEqual({ name, urls: [] });
    }
});
