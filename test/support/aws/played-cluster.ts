import { HostBefore } from "../host-state";
import { AwsLab } from "./lab";
import type { Uplink } from "./router";
import { startUpstream, type Upstream } from "./upstream";

/** What is around a played account. */
export interface Surroundings {
    /** Address of the server that plays the internet. */
    readonly internet: string;
    readonly serves: Parameters<typeof startUpstream>[1];
    readonly uplink: Uplink;
    /** Matches the test's own lines of the host's state. */
    readonly own: RegExp;
}

/** A cluster in an account of its own, the internet around it, and the host as it was before them. */
export class PlayedCluster {
    private constructor(
        readonly lab: AwsLab,
        readonly upstream: Upstream,
        private readonly before: HostBefore,
    ) {}

    /**
     * @param name of the lab, and of the account.
     * @param aws settings beside those that the account decides.
     * @param more other settings of the stack.
     */
    static async begin(
        name: string,
        { internet, serves, uplink, own }: Surroundings,
        aws: Readonly<Record<string, unknown>>,
        more: Readonly<Record<string, unknown>> = {},
    ): Promise<PlayedCluster> {
        const before = new HostBefore(own);
        const upstream = await startUpstream(internet, serves);
        const played = new PlayedCluster(new AwsLab(name, { uplink, upstream }, aws, more), upstream, before);
        try {
            await played.lab.prepare();
        } catch (error) {
            await played.end();
            throw error;
        }
        return played;
    }

    async end(): Promise<void> {
        await this.lab.end();
        await this.upstream.end();
    }

    /** Of a cluster that is down: neither in the account nor, once that is gone with its internet, on this host. */
    async expectNothingLeft(): Promise<void> {
        expect(this.lab.left()).toEqual([]);
        await this.end();
        expect(this.before.differences()).toEqual([]);
    }
}
