import type { ClusterSpec, Role } from "./types";

/** What a machine of the role needs for its way to several API servers: programs with a Debian package of the same name. */
export function apiTools({ highlyAvailable, api }: ClusterSpec, role: Role): readonly ("keepalived" | "haproxy")[] {
    if (role === "worker") {
        return highlyAvailable ? ["haproxy"] : [];
    }
    return api.moves ? ["keepalived"] : [];
}
