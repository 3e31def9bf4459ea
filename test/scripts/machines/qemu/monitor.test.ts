import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { ask, vmState } from "../../../../scripts/machines/qemu/monitor";
import { temporaryDirectory } from "../../../support/bash";

const GREETING = { QMP: { version: {}, capabilities: [] } };

describe("QEMU's monitor", () => {
    const directory = temporaryDirectory();
    const socket = join(directory.path, "qmp");
    let server: Server | undefined;

    /** Plays QEMU: greets, and answers each command by its name. */
    const play = async (answers: Readonly<Record<string, object>>): Promise<void> => {
        server = createServer((connection) => {
            connection.write(`${JSON.stringify(GREETING)}\r\n`);
            connection.on("data", (data) => {
                const { execute, id } = JSON.parse(data.toString()) as { execute: string; id: string };
                connection.write(`${JSON.stringify({ timestamp: {}, event: "RESET" })}\r\n`);
                connection.write(`${JSON.stringify({ ...answers[execute], id })}\r\n`);
            });
        });
        await new Promise<void>((resolve) => server?.listen(socket, resolve));
    };

    afterEach(async () => {
        await new Promise((resolve) => server?.close(resolve));
    });
    afterAll(() => {
        directory.remove();
    });

    it("is asked after it has greeted, and its events are passed over", async () => {
        await play({ qmp_capabilities: { return: {} }, "query-status": { return: { status: "io-error" } } });
        expect(await vmState(socket)).toBe("io-error");
    });

    it("says why a command fails", async () => {
        await play({ qmp_capabilities: { return: {} }, cont: { error: { desc: "no room" } } });
        await expect(ask(socket, "cont")).rejects.toThrow(`QEMU's monitor ${socket}: cont: no room`);
    });

    it("has no state where nobody listens", async () => {
        await play({});
        expect(await vmState(join(directory.path, "other"))).toBeUndefined();
    });
});
