import { stringify } from "yaml";

export interface UserDataArgs {
    readonly hostname: string;
    /** The machine's ED25519 SSH host key in OpenSSH's format, secret. */
    readonly hostKey: string;
    /** `ssh-ed25519 AAAA…` */
    readonly hostPublicKey: string;
}

/**
 * The user data of a machine, for cloud-init at its first boot: its name, and the host key that steps expect it to
 * have, which is the one secret in it. https://cloudinit.readthedocs.io/en/22.4.2/topics/modules.html
 */
export function renderUserData({ hostname, hostKey, hostPublicKey }: UserDataArgs): string {
    const settings = {
        hostname,
        preserve_hostname: false,
        // Debian's images let cloud-init write /etc/hosts anew at every boot, without the API endpoint's name.
        manage_etc_hosts: "localhost",
        ssh_deletekeys: true,
        ssh_genkeytypes: [],
        // Steps come a dozen at once; by default the eleventh that hasn't proved who it is may be turned away.
        write_files: [{ path: "/etc/ssh/sshd_config.d/kubelab.conf", content: "MaxStartups 100\n" }],
        ssh_keys: { ed25519_private: `${hostKey.trim()}\n`, ed25519_public: hostPublicKey.trim() },
    };
    return `#cloud-config\n${stringify(settings, { lineWidth: 0 })}`;
}
