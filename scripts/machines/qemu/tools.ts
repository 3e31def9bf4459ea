import { QEMU } from "../choose-driver";

/** Programs that virtual machines need beside what every lab does, and the Debian and Ubuntu packages that have them. */
export const QEMU_TOOLS = {
    [QEMU]: "qemu-system-x86",
    "qemu-img": "qemu-utils",
    mke2fs: "e2fsprogs",
    "dpkg-deb": "dpkg",
    xz: "xz-utils",
} as const;
