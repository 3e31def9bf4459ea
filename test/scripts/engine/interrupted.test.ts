import { withoutPendingOperations } from "../../../scripts/engine/interrupted";

const command = { urn: "urn:step", type: "command:remote:Command", inputs: { create: "bash", stdin: "new" } };
const key = { urn: "urn:key", type: "tls:index/privateKey:PrivateKey", inputs: { algorithm: "ECDSA" } };

test("a state without pending operations stays as it is", () => {
    expect(withoutPendingOperations({ deployment: { resources: [command] } })).toBeUndefined();
});

test("a command whose update was under way is updated again, and no other resource is touched", () => {
    const other = { ...command, urn: "urn:other" };
    const state = {
        version: 3,
        deployment: {
            manifest: {},
            resources: [{ ...command, outputs: { stdin: "old", stdout: "" } }, other, key],
            pending_operations: [
                { type: "updating", resource: command },
                { type: "updating", resource: key },
                { type: "creating", resource: { ...command, urn: "urn:new" } },
            ],
        },
    };
    expect(withoutPendingOperations(state)).toEqual({
        version: 3,
        deployment: {
            manifest: {},
            resources: [{ ...command, inputs: { create: "bash" }, outputs: { stdout: "" } }, other, key],
        },
    });
});
