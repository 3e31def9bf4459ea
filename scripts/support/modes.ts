/**
 * Files and directories have the modes that they are made with, and are for everyone to read unless they are made otherwise, whatever
 * umask this process has inherited. For programs that make what others use: disks of machines, parts, the caches.
 */
export function settleModes(): void {
    process.umask(0o022);
}
