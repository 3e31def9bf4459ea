import { runOverSsh, SshFailure, type SshTarget } from "../../../components/steps/ssh-run";
import { SshMachine } from "../../support/ssh-machine";

jest.setTimeout(30_000);

let machine: SshMachine;
let target: SshTarget;
beforeEach(async () => {
    machine = new SshMachine();
    await machine.start();
    target = {
        host: "127.0.0.1",
        port: machine.port,
        user: "root",
        privateKey: machine.client.private,
        hostKey: machine.hostKeys.ed25519.public,
    };
});
afterEach(() => machine.stop());

async function failureOf(
    changes: Partial<SshTarget>,
    command = "true",
    limits = { connect: 5, run: 5 },
): Promise<SshFailure> {
    try {
        await runOverSsh({ ...target, ...changes }, command, "", limits);
    } catch (error) {
        if (error instanceof SshFailure) {
            return error;
        }
        throw error;
    }
    throw new Error("it didn't fail");
}

describe("a command on a machine", () => {
    it("gets its input, and gives back what it says and how it ended", async () => {
        const answer = await runOverSsh(target, "cat; echo oh dear >&2; exit 3", "line 1\nline 2\n");
        expect(answer).toEqual({ code: 3, stdout: "line 1\nline 2\n", stderr: "oh dear\n" });
    });

    it("isn't run on a machine that has another key, whose key is told", async () => {
        const other = new SshMachine();
        const failure = await failureOf({ hostKey: other.hostKeys.ed25519.public });
        expect(failure.kind).toBe("host-key");
        expect(failure.offered).toBe(machine.hostKeys.ed25519.public.trim().split(" ").slice(0, 2).join(" "));
    });

    it("isn't run where the key isn't let in", async () => {
        const other = new SshMachine();
        expect((await failureOf({ privateKey: other.client.private })).kind).toBe("login");
    });

    it("isn't waited for where nobody answers", async () => {
        machine.stop();
        expect((await failureOf({})).kind).toBe("unreachable");
    });

    it("fails when its connection is lost, or its time is over", async () => {
        expect((await failureOf({}, "vanish")).kind).toBe("lost");
        const failure = await failureOf({}, "sleep 3", { connect: 5, run: 1 });
        expect([failure.kind, failure.message]).toEqual(["lost", "it didn't end within 1 seconds"]);
    });
});
