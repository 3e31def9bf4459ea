import { request } from "node:http";
import { switchSockets } from "./files";

/** Milliseconds after which a switch that doesn't answer is taken for one that is stuck. */
const PATIENCE = 5_000;

/**
 * Asks the lab's switch.
 *
 * @param body of a POST request; without one it is a GET request.
 * @returns the text of the answer.
 * @throws Error where nobody answers, or the answer is no.
 * @see https://github.com/containers/gvisor-tap-vsock#dynamic-port-forwarding
 */
function ask(lab: string, path: string, body?: object): Promise<string> {
    const { control } = switchSockets(lab);
    return new Promise((resolve, reject) => {
        const fail = (why: string): void => {
            reject(new Error(`The switch of lab "${lab}" (${control}): ${path}: ${why}`));
        };
        const method = body === undefined ? "GET" : "POST";
        const asked = request({ socketPath: control, path, method, timeout: PATIENCE, agent: false }, (answer) => {
            let text = "";
            answer.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
            answer.on("end", () => {
                if (answer.statusCode === 200) {
                    resolve(text);
                } else {
                    fail(text.trim() || String(answer.statusCode));
                }
            });
        });
        asked
            .on("timeout", () => asked.destroy(new Error("no answer")))
            .on("error", ({ message }) => {
                fail(message);
            });
        asked.end(body === undefined ? undefined : JSON.stringify(body));
    });
}

interface Forward {
    readonly local: string;
    readonly remote: string;
}

/** Has these ports of the loopback lead to machines; those that do already stay. */
export async function forward(lab: string, forwards: Readonly<Record<string, string>>): Promise<void> {
    const there = JSON.parse(await ask(lab, "/services/forwarder/all")) as readonly Forward[];
    for (const [local, remote] of Object.entries(forwards)) {
        const known = there.find((each) => each.local === local);
        if (known?.remote === remote) {
            continue;
        }
        if (known !== undefined) {
            await ask(lab, "/services/forwarder/unexpose", { local, protocol: "tcp" });
        }
        await ask(lab, "/services/forwarder/expose", { local, remote, protocol: "tcp" });
    }
}

/** Lets go of these ports. */
export async function stopForwarding(lab: string, forwards: Readonly<Record<string, string>>): Promise<void> {
    for (const local of Object.keys(forwards)) {
        await ask(lab, "/services/forwarder/unexpose", { local, protocol: "tcp" }).catch(() => undefined);
    }
}

/** Whether the machine with this hardware address is plugged in, and has sent something. @returns undefined where nobody answers. */
export async function isPluggedIn(lab: string, hardwareAddress: string): Promise<boolean | undefined> {
    try {
        return hardwareAddress in (JSON.parse(await ask(lab, "/cam")) as Readonly<Record<string, number>>);
    } catch {
        return undefined;
    }
}
