import { createServer, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { proxyFor } from "../../../scripts/parts/download/proxy";
import { whyUnreachable } from "../../../scripts/parts/download/reachable";
import { request } from "../../../scripts/parts/download/request";

const environment = { ...process.env };
const NAMES = ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY"];
beforeEach(() => NAMES.forEach((name) => delete process.env[name]));
afterEach(() => {
    process.env = { ...environment };
});

const PROXY = "http://proxy.example:3128";

test.each<[string, NodeJS.ProcessEnv, string | undefined]>([
    ["https://dl.k8s.io/x", {}, undefined],
    ["https://dl.k8s.io/x", { https_proxy: PROXY }, "proxy.example:3128"],
    ["https://dl.k8s.io/x", { HTTPS_PROXY: PROXY }, "proxy.example:3128"],
    ["https://dl.k8s.io/x", { https_proxy: "", HTTPS_PROXY: "other.example:8080" }, "other.example:8080"],
    ["https://dl.k8s.io/x", { http_proxy: PROXY }, undefined],
    ["http://mirror.example/x", { http_proxy: PROXY }, "proxy.example:3128"],
    ["https://dl.k8s.io/x", { https_proxy: PROXY, no_proxy: "k8s.io" }, undefined],
    ["https://dl.k8s.io/x", { https_proxy: PROXY, NO_PROXY: "localhost, .k8s.io" }, undefined],
    ["https://dl.k8s.io/x", { https_proxy: PROXY, no_proxy: "8s.io,dl.k8s.io.example" }, "proxy.example:3128"],
    ["https://dl.k8s.io/x", { https_proxy: PROXY, no_proxy: "*" }, undefined],
    ["http://10.0.0.1:8080/x", { http_proxy: PROXY, no_proxy: "10.0.0.1:80" }, "proxy.example:3128"],
    ["http://10.0.0.1:8080/x", { http_proxy: PROXY, no_proxy: "10.0.0.1:8080" }, undefined],
])("%s with %p goes by %p", (url, variables, proxy) => {
    expect(proxyFor(url, variables)?.host).toBe(proxy);
});

const listen = async (server: Server): Promise<number> => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return (server.address() as AddressInfo).port;
};

describe("a download", () => {
    const asked: string[] = [];
    const upstream = createServer((_, response) => response.end("a part"));
    // Leads everything to the server above, whatever its name.
    const proxy = createServer().on("connect", (incoming, client) => {
        asked.push(incoming.url ?? "");
        const socket = connect((upstream.address() as AddressInfo).port, "127.0.0.1", () => {
            client.write("HTTP/1.1 200 OK\r\n\r\n");
            socket.pipe(client).pipe(socket);
        });
        client.on("error", () => undefined);
        socket.on("error", () => undefined);
    });
    let port = 0;
    beforeAll(async () => {
        await listen(upstream);
        port = await listen(proxy);
    });
    afterAll(() => {
        upstream.close();
        proxy.close();
        upstream.closeAllConnections();
        proxy.closeAllConnections();
    });

    test("goes by the proxy of the environment, which is what has to be in reach", async () => {
        process.env["http_proxy"] = `http://127.0.0.1:${port}`;
        const timeouts = { answer: 5000, idle: 5000 };
        const url = "http://upstream.invalid/part";
        expect(await request(url, { timeouts }, (response) => response.text())).toBe("a part");
        expect(asked).toEqual(["upstream.invalid:80"]);
        expect(await whyUnreachable(url, 2000)).toBeUndefined();
        process.env["http_proxy"] = "http://127.0.0.1:9";
        expect(await whyUnreachable(url, 2000)).toMatch(/^127\.0\.0\.1 can't be reached \(ECONNREFUSED\)/);
    }, 20_000);
});
