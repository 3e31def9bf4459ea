const CAPABILITIES = { cap_net_bind_service: 10 } as const;

/**
 * The value of the extended attribute `security.capability` that `setcap NAME=+ep` sets: struct vfs_cap_data, revision 2,
 * little-endian (include/uapi/linux/capability.h).
 */
export function fileCapability(name: keyof typeof CAPABILITIES): Buffer {
    const REVISION_2 = 0x02000000;
    const EFFECTIVE = 1;
    const value = Buffer.alloc(20);
    value.writeUInt32LE(REVISION_2 | EFFECTIVE, 0);
    value.writeUInt32LE(1 << CAPABILITIES[name], 4);
    return value;
}
