import { userInfo } from "node:os";
import { filesLackingIds, NEEDED_IDS } from "../../machines/user-namespace";
import type { Check } from "./check";
import type { Host } from "./host";

/** What an ordinary user needs to have virtual machines. */
export function userCheck(host: Host): Check {
    const name = "ordinary user";
    const user = userInfo().username;
    const lacking = filesLackingIds([user, String(host.userId)], (path) => host.read(path) ?? "");
    if (lacking.length === 0) {
        return { name, state: "ok", detail: `${user}, with subordinate ids for the image of the machines` };
    }
    return {
        name,
        state: "missing",
        detail: `${lacking.join(" and ")} ${lacking.length === 1 ? "has" : "have"} no ${NEEDED_IDS} ids for ${user}`,
        remedy: `as root, a range that nobody else has: usermod --add-subuids 200000-265535 --add-subgids 200000-265535 ${user}`,
    };
}
