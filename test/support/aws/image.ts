import { ensureRootfs } from "../../../scripts/machines/rootfs";

/**
 * What Debian's AMIs tell cloud-init (https://salsa.debian.org/cloud-team/debian-cloud-images, 01_debian_cloud.cfg): the user `admin`,
 * and /etc/hosts written anew at every boot unless user data says otherwise.
 *
 * Instances get their metadata and user data as files (NoCloud) and not by HTTP from 169.254.169.254: cloud-init looks for EC2 by the
 * firmware's tables, which a container hasn't.
 */
export const CLOUD_SETTINGS = `datasource_list: [NoCloud]
manage_etc_hosts: true
disable_root: true
locale: false
network: {config: disabled}
system_info:
    default_user:
        name: admin
        gecos: Debian
        lock_passwd: true
        sudo: ["ALL=(ALL) NOPASSWD:ALL"]
        shell: /bin/bash
`;

let image: Promise<string> | undefined;

/** The root file system that instances' disks begin as: a machine's, with cloud-init. Made once, whoever asks for it at the same time. */
export function cloudImage(progress: (line: string) => void): Promise<string> {
    image ??= ensureRootfs(progress, undefined, ["cloud-init"]);
    return image;
}
