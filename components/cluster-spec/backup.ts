import { z } from "zod";
import * as field from "./fields";

/** Belongs to etcd's user; what else is in it: `last`, the summary of the last snapshot, for everyone to read. */
export const BACKUP_STATE = "/var/lib/etcd-backup";

/** Where a control plane keeps its snapshots unless the config says otherwise. */
export const BACKUP_DIRECTORY = `${BACKUP_STATE}/snapshots`;

/** How often a control plane takes a snapshot of etcd, and what it keeps of them. */
export interface BackupSpec {
    /** As the config has it: `30m`, `6h`, `1d`. */
    readonly every: string;
    /** The same as systemd's calendar event, in UTC; https://www.freedesktop.org/software/systemd/man/latest/systemd.time.html */
    readonly calendar: string;
    /** How many snapshots stay, the newest ones. */
    readonly keep: number;
    /** Absolute path on each control plane. */
    readonly directory: string;
}

/** Minutes of an hour, or hours of a day, so that each day has the same times and a machine that was off knows which one it missed. */
const MINUTES = divisors(60);
const HOURS = divisors(24);

function divisors(number: number): number[] {
    return Array.from({ length: number - 1 }, (_, index) => index + 1).filter((each) => number % each === 0);
}

/** @returns undefined where it isn't a time that a snapshot can be taken every. */
export function backupCalendar(every: string): string | undefined {
    const [, digits = "", unit] = /^([1-9]\d?)([mhd])$/.exec(every) ?? [];
    const number = Number(digits);
    switch (unit) {
        case "m":
            return MINUTES.includes(number) ? `*-*-* *:0/${number}:00 UTC` : undefined;
        case "h":
            return HOURS.includes(number) ? `*-*-* 0/${number}:00:00 UTC` : undefined;
        case "d":
            return number === 1 ? "*-*-* 00:00:00 UTC" : undefined;
        case undefined:
        default:
            return undefined;
    }
}

const every = z.string().superRefine((text, context) => {
    if (backupCalendar(text) === undefined) {
        const minutes = MINUTES.map((number) => `${number}m`).join(", ");
        const hours = HOURS.map((number) => `${number}h`).join(", ");
        field.fault(context, "is no time between snapshots", `use one of ${minutes}, ${hours}, 1d`);
    }
});

/** Directories that are somebody else's, with all that is in them. */
const TAKEN =
    /^\/(bin|boot|dev|etc|home|lib\d*|proc|root|run|sbin|sys|tmp|usr|var\/tmp|var\/lib\/(etcd|kubelab|kubelet|containerd))(\/|$)/;

const directory = field.absolutePath.superRefine((path, context) => {
    if (!path.startsWith("/")) {
        return;
    }
    if (!/^(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)+$/.test(path)) {
        field.fault(context, "is not a plain path", 'use letters, digits, ".", "_" and "-" between the slashes');
    } else if (TAKEN.test(path)) {
        field.fault(context, "is in a directory of something else", `use one such as ${BACKUP_DIRECTORY}`);
    } else if (path.split("/").length < 3) {
        field.fault(context, "is no directory of its own", `use one in it: ${path}/etcd`);
    }
});

/** `kubelab:backup` */
export const backupSchema = z.strictObject({
    every: every.optional(),
    keep: field.integer(1, 1000).prefault(28),
    directory: directory.prefault(BACKUP_DIRECTORY),
});

/** @returns undefined where no snapshots are to be taken. */
export function planBackup({
    every: interval,
    keep,
    directory: path,
}: z.output<typeof backupSchema>): BackupSpec | undefined {
    const calendar = interval === undefined ? undefined : backupCalendar(interval);
    return interval === undefined || calendar === undefined
        ? undefined
        : { every: interval, calendar, keep, directory: path };
}
