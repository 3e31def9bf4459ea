/** The architecture as Go and OCI call it, from what `uname -m` says. */
export function goArchitecture(machine: string): string {
    return { x86_64: "amd64", aarch64: "arm64" }[machine] ?? machine;
}

/** The architecture of the machine that this runs on, as Go and OCI call it. */
export const OWN_ARCHITECTURE: string = process.arch === "x64" ? "amd64" : process.arch;
