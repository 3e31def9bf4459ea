import type { MachineRecord } from "../../../../scripts/machines/records";

/** Of a virtual machine. */
export const RECORD: MachineRecord = {
    lab: "kubenet",
    machine: "worker-1",
    driver: "qemu",
    addresses: ["10.240.0.21/24", "10.240.0.20/24"],
    gateway: "10.240.0.1",
    hosts: {},
    hostKey: "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----",
    authorizedKeys: ["ssh-ed25519 AAAA user"],
    release: "bookworm",
    vm: { cpus: 2, memory: 1024, disk: 20, accelerator: "auto" },
    id: "5b0c0c5e-0000-4000-8000-000000000000",
    machineId: "0123456789abcdef0123456789abcdef",
    base: "/cache/rootfs/0123-vm",
};
