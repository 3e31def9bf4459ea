import { type AddressInfo, createServer, type Server } from "node:net";
import { sshServer } from "../../../scripts/machines/ssh-server";

describe("a machine's SSH server behind a forwarded port", () => {
    const servers: Server[] = [];
    const listening = async (greeting: string | undefined): Promise<string> => {
        const server = createServer((socket) => (greeting === undefined ? socket.destroy() : socket.write(greeting)));
        servers.push(server);
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
        return `127.0.0.1:${(server.address() as AddressInfo).port}`;
    };
    afterAll(() => {
        servers.forEach((server) => server.close());
    });

    it("answers when it has greeted, not when the port is open", async () => {
        const there = await listening("SSH-2.0-OpenSSH\r\n");
        const absent = await listening(undefined);
        expect(await sshServer("10.240.0.11", { [there]: "10.240.0.11:22" }).answers()).toBe(true);
        expect(await sshServer("10.240.0.11", { [absent]: "10.240.0.11:22" }).answers()).toBe(false);
    });

    it("is the port that leads to its own, or the machine's own without one", () => {
        const forwards = { "127.240.0.10:6443": "10.240.0.10:6443", "127.240.0.11:2222": "10.240.0.11:22" };
        expect(sshServer("10.240.0.11", forwards).where).toBe("127.240.0.11:2222");
        expect(sshServer("10.240.0.11").where).toBe("10.240.0.11:22");
    });
});
