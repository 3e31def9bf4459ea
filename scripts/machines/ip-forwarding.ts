import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { RUN_DIRECTORY } from "./names";

const SETTING = "/proc/sys/net/ipv4/ip_forward";
/** The host's own value, while a lab needs another. */
const REMEMBERED = join(RUN_DIRECTORY, "ip_forward");

/** Enables IP forwarding on the host. Call with the labs' lock held. */
export function enableForwarding(): void {
    const value = readFileSync(SETTING, "utf8").trim();
    if (value !== "1") {
        if (!existsSync(REMEMBERED)) {
            writeFileSync(REMEMBERED, value);
        }
        writeFileSync(SETTING, "1");
    }
}

/** Restores the host's value when no lab is left. Call with the labs' lock held. */
export function restoreForwarding(): void {
    if (existsSync(REMEMBERED)) {
        writeFileSync(SETTING, readFileSync(REMEMBERED));
        rmSync(REMEMBERED);
    }
}
