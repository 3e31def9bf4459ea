import { registerProvider } from "../provider";
import { localCommand } from "./command-local";
import { remoteCommand } from "./command-remote";
import { providerResource } from "./provider-resource";
import { random } from "./random";
import { stash } from "./stash";
import { tls } from "./tls";

let registered = false;

/** Makes the engine's own providers known, once. */
export function registerBuiltInProviders(): void {
    if (registered) {
        return;
    }
    registered = true;
    registerProvider("command:local:Command", localCommand);
    registerProvider("command:remote:Command", remoteCommand);
    registerProvider("random:", random);
    registerProvider("tls:", tls);
    registerProvider("pulumi:index:Stash", stash);
    registerProvider("pulumi:providers:", providerResource);
}
