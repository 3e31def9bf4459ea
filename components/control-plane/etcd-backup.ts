import type { remote } from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";
import { BACKUP_STATE, type BackupSpec } from "../cluster-spec/backup";
import { PORTS } from "../cluster-spec/ports";
import type { ReadyMachine } from "../machines/machine";
import { HARDENING } from "../steps/process";
import { type HostFile, leaveCheck, programFile, removeCheck } from "../steps/script";
import { step } from "../steps/step";

const NAME = "etcd-backup";
const PROGRAM = `/usr/local/lib/kubelab/${NAME}`;
const SERVICE = `/etc/systemd/system/${NAME}.service`;
const TIMER = `/etc/systemd/system/${NAME}.timer`;

/** One snapshot: etcd-backup.sh, which a person can read on the machine. */
export function backupService({ directory, keep }: BackupSpec): string {
    return `[Unit]
Description=Takes a snapshot of etcd
Documentation=https://etcd.io/docs/v3.6/op-guide/recovery/
After=etcd.service

[Service]
Type=oneshot
User=etcd
Group=etcd
StateDirectory=${BACKUP_STATE.split("/").at(-1)}
Environment=DIRECTORY=${directory}
Environment=KEEP=${keep}
Environment=ENDPOINT=https://127.0.0.1:${PORTS.etcdClient}
ExecStart=/bin/bash ${PROGRAM}
TimeoutStartSec=30min
Nice=10
ReadWritePaths=${directory}
${HARDENING.join("\n")}
`;
}

/** https://www.freedesktop.org/software/systemd/man/latest/systemd.timer.html */
export function backupTimer({ every, calendar }: BackupSpec): string {
    return `[Unit]
Description=Takes a snapshot of etcd every ${every}

[Timer]
OnCalendar=${calendar}
# A machine that was off takes the one that it missed.
Persistent=true
AccuracySec=1s

[Install]
WantedBy=timers.target
`;
}

/**
 * Has a control plane take snapshots of its etcd member by a timer; the first one at once. They stay when the step goes.
 * Each control plane has all data, so each keeps snapshots of its own.
 *
 * @param dependsOn etcd's step.
 */
export function backups(
    backup: BackupSpec,
    machine: ReadyMachine,
    dependsOn: readonly pulumi.Resource[],
    parent: pulumi.Resource,
): remote.Command {
    const { directory } = backup;
    const files: readonly HostFile[] = [
        programFile(PROGRAM, NAME),
        { path: SERVICE, content: backupService(backup) },
        { path: TIMER, content: backupTimer(backup) },
    ];
    const failed = [
        `if systemctl is-failed --quiet ${NAME}.service; then`,
        `    echo "the last run failed: $(journalctl -u ${NAME} -t bash -n 1 --no-pager -o cat)"`,
        "fi",
    ];
    const create = [
        `once ${NAME}`,
        "ensure_user etcd",
        `if [ -d ${directory} ] && [ "$(stat -c %U ${directory})" != etcd ]; then`,
        `    fail "kubelab:backup.directory: ${directory} belongs to $(stat -c %U ${directory}): use one that isn't there yet"`,
        "fi",
        `install -d -m 0755 -o etcd -g etcd ${BACKUP_STATE}`,
        `install -d ${directory.slice(0, directory.lastIndexOf("/"))}`,
        `install -d -m 0700 -o etcd -g etcd ${directory}`,
        ...leaveCheck({ name: NAME, subject: NAME, statements: failed }, files),
        `note unit ${NAME}.timer`,
        `if [ -n "$changed" ] || ! systemctl is-active --quiet ${NAME}.timer || systemctl is-failed --quiet ${NAME}.service; then`,
        "    systemctl daemon-reload",
        `    systemctl enable --quiet ${NAME}.timer`,
        `    systemctl restart ${NAME}.timer`,
        `    systemctl start ${NAME}.service || fail "no snapshot of etcd: $(journalctl -u ${NAME} -t bash -n 5 --no-pager -o cat)"`,
        "    change_applied",
        "fi",
    ];
    const undo = [
        `once ${NAME}`,
        `systemctl disable --now --quiet ${NAME}.timer || true`,
        `systemctl stop ${NAME}.service || true`,
        `systemctl reset-failed ${NAME}.service 2>/dev/null || true`,
        `rm -f ${[TIMER, SERVICE, PROGRAM, `${BACKUP_STATE}/last`, `/var/lib/systemd/timers/stamp-${NAME}.timer`].join(" ")}`,
        "systemctl daemon-reload",
        removeCheck(NAME),
    ];
    return step(
        `${machine.name}-${NAME}`,
        { machine, undo: true, script: { create, delete: undo }, dependsOn },
        parent,
    );
}
