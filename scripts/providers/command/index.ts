import type { Provider } from "../provider";
import { localCommand } from "./local";
import { remoteCommand } from "./remote";

/** `command:*`, with the behaviour of pulumi-command 1.2. */
export const command: Provider = {
    secretInputs: (type) =>
        type === "command:remote:Command"
            ? ["password", "privateKey", "privateKeyPassword"].map((key) => `connection.${key}`)
            : [],
    diff: (type, existing, inputs) => of(type).diff(existing, inputs),
    create: (subject, inputs) => of(subject.type).create(subject, inputs),
    update: (subject, existing, inputs) => of(subject.type).update(subject, existing, inputs),
    delete: (subject, existing) => of(subject.type).delete(subject, existing),
};

function of(type: string): typeof localCommand {
    switch (type) {
        case "command:local:Command":
            return localCommand;
        case "command:remote:Command":
            return remoteCommand;
        default:
            throw new Error(`this command provider has no ${type}`);
    }
}
