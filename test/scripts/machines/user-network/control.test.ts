import { createServer, type Server } from "node:http";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { forward, isPluggedIn, stopForwarding } from "../../../../scripts/machines/user-network/control";
import { temporaryDirectory } from "../../../support/bash";

const directory = temporaryDirectory();
jest.mock("../../../../scripts/machines/user-network/files", () => ({
    switchSockets: (lab: string) => ({ control: `${directory.path}/${lab}/control.sock` }),
}));

describe("the control socket of a lab's switch", () => {
    const requests: string[] = [];
    let forwards: { local: string; remote: string }[] = [];
    let server: Server;

    /** Plays the switch. */
    beforeAll(async () => {
        server = createServer((request, response) => {
            let body = "";
            request.on("data", (chunk: Buffer) => (body += chunk.toString()));
            request.on("end", () => {
                requests.push([request.method, request.url, body].filter((each) => each !== "").join(" "));
                const answers: Readonly<Record<string, string>> = {
                    "/cam": '{"02:00:00:00:00:01": 0}',
                    "/services/forwarder/all": JSON.stringify(forwards),
                };
                const taken = body.includes(":22223");
                response
                    .writeHead(taken ? 500 : 200)
                    .end(taken ? "address already in use" : answers[request.url ?? ""]);
            });
        });
        const path = `${directory.path}/kubenet/control.sock`;
        mkdirSync(dirname(path));
        await new Promise<void>((resolve) => server.listen(path, resolve));
    });
    beforeEach(() => {
        requests.length = 0;
        forwards = [];
    });
    afterAll(() => {
        server.close();
        directory.remove();
    });

    const LOCAL = "127.240.0.11:2222";
    const REMOTE = "10.240.0.11:22";

    it("is asked for ports that aren't forwarded yet", async () => {
        await forward("kubenet", { [LOCAL]: REMOTE });
        expect(requests).toEqual([
            "GET /services/forwarder/all",
            `POST /services/forwarder/expose {"local":"${LOCAL}","remote":"${REMOTE}","protocol":"tcp"}`,
        ]);
    });

    it("is asked for nothing where they are, and for another target where that differs", async () => {
        forwards = [{ local: LOCAL, remote: REMOTE }];
        await forward("kubenet", { [LOCAL]: REMOTE });
        expect(requests).toEqual(["GET /services/forwarder/all"]);
        await forward("kubenet", { [LOCAL]: "10.240.0.12:22" });
        expect(requests.slice(2).map((each) => each.split(" ")[1])).toEqual([
            "/services/forwarder/unexpose",
            "/services/forwarder/expose",
        ]);
    });

    it("says why a port can't be had", async () => {
        await expect(forward("kubenet", { "127.240.0.11:22223": REMOTE })).rejects.toThrow(
            /^The switch of lab "kubenet" .*\/services\/forwarder\/expose: address already in use$/,
        );
    });

    it("lets go of ports, also where nobody listens any more", async () => {
        await stopForwarding("kubenet", { [LOCAL]: REMOTE });
        expect(requests).toEqual([`POST /services/forwarder/unexpose {"local":"${LOCAL}","protocol":"tcp"}`]);
        await stopForwarding("gone", { [LOCAL]: REMOTE });
    });

    it("knows the machines that have sent something", async () => {
        expect(await isPluggedIn("kubenet", "02:00:00:00:00:01")).toBe(true);
        expect(await isPluggedIn("kubenet", "02:00:00:00:00:02")).toBe(false);
        expect(await isPluggedIn("gone", "02:00:00:00:00:01")).toBeUndefined();
    });
});
