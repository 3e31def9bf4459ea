import { z } from "../support/request";

/** The driver of hosts that exist: what it reads from standard input, and what it prints. */

const text = z.string().min(1);

/** Of `leave`: as much of a claim as takes it back, so that a request of any age can be. */
export const leaveRequest = z
    .object({
        /** Of the node. */
        name: text,
        /** Its SSH server: an SshTarget. */
        target: z
            .object({ host: text, port: z.number().int(), user: text, privateKey: text, hostKey: text })
            .readonly(),
        /** Secret. */
        sudoPassword: z.string().optional(),
        /** Of the cluster, random. */
        cluster: text,
    })
    .readonly();

/** Of `claim`. */
export const claimRequest = z
    .object({
        ...leaveRequest.unwrap().shape,
        lab: text,
        /** `organization/project/stack` */
        stack: text,
        /** IPv4 CIDR of the cluster's pods. */
        pods: z.string().cidr({ version: "v4" }),
    })
    .readonly();

export type ClaimRequest = z.infer<typeof claimRequest>;
export type LeaveRequest = z.infer<typeof leaveRequest>;

export interface Claimed {
    /** /etc/machine-id of the host. */
    readonly id: string;
}

export interface Left {
    /** False where it no longer belonged to this cluster, or is forgotten. */
    readonly left: boolean;
}
