import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough, type Readable } from "node:stream";
import type { Result } from "../cli/run";
import { quote } from "../../components/steps/script";

/** Seconds after which a machine ends a watch by itself, whatever has become of whoever began it. */
const LONGEST = 60;
/** Seconds that a machine is given to begin. */
const BEGIN = 20;

/** Runs a bash script on one machine as root, with more standard input later: `ClusterAccess.sessionAsRoot`, or a local bash. */
export type Session = (
    script: string,
    more: Readable,
    onOutput: (text: string) => void,
    timeoutSeconds: number,
) => Promise<Result>;

/** What the packets to be watched are known by. */
export interface Watched {
    /** Name of the nftables table that is there meanwhile. */
    readonly table: string;
    readonly dscp: number;
    /** An nftables match of packets of the machine itself that are given the DSCP. */
    readonly mark?: string;
}

/** A machine whose kernel tells which rules the probe's packets pass. */
export interface Watch {
    /** Ends it. @returns the kernel's trace, as `parseTrace` takes it. @throws Error where the machine did not trace. */
    readonly trace: () => Promise<string>;
}

/**
 * Begins to watch a machine. Nothing of it is left there once it has ended: by `trace`, with this process, or after a minute.
 *
 * @throws Error with what the machine said where it can't trace packets.
 */
export async function watch(session: Session, { table, dscp, mark = "" }: Watched): Promise<Watch> {
    const more = new PassThrough();
    const library = readFileSync(join(__dirname, "watch.sh"), "utf8");
    const script = `${library}\nwatch ${[table, String(dscp), String(LONGEST), mark].map(quote).join(" ")}\n`;
    let printed = "";
    let begun: () => void = () => undefined;
    const ready = new Promise<void>((resolve) => (begun = resolve));
    const ended = session(
        script,
        more,
        (text) => {
            printed += text;
            if (printed.startsWith("ready\n")) {
                begun();
            }
        },
        LONGEST + BEGIN,
    );
    const failed = ended.then(({ code, stderr }) => {
        throw new Error(stderr.trim().split("\n").at(-1) || `exit code ${code}`);
    });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error(`it did not begin within ${BEGIN} seconds`)), BEGIN * 1000);
    });
    try {
        await Promise.race([ready, failed, late]);
    } catch (error) {
        more.end();
        throw error;
    } finally {
        clearTimeout(timer);
        failed.catch(() => undefined);
    }
    return {
        trace: async () => {
            more.end("\n");
            const { code, stdout, stderr } = await ended;
            if (code !== 0) {
                throw new Error(stderr.trim().split("\n").at(-1) || `exit code ${code}`);
            }
            return stdout.replace(/^ready\n/, "");
        },
    };
}
