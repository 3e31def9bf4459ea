import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { labNames } from "../../../scripts/machines/names";
import { type Boot, bootInstance, endInstance, endInstances, forgetAccount, restartInstance } from "./instance";
import { type Account, EMPTY, type InstanceState, rowOf, type Table } from "./model";
import { freeAddress } from "./requests";
import { applyNetwork, deleteRouter, detachGateway, type Uplink } from "./router";

export interface CloudSettings {
    /** Name of the account; also that of the lab whose machines its instances are. */
    readonly account: string;
    readonly uplink: Uplink;
}

type TableName = Exclude<keyof Account, "next">;
type RowOf<Name extends TableName> = Account[Name] extends Table<infer Row> ? Row : never;

/** An account of the played cloud: what is in it, on disk, and the machines and networks that it makes of that on this host. */
export class Cloud {
    private readonly file: string;
    /** What ids of the account begin with, behind their prefix: no other account on this host has the same. */
    private readonly idStart: string;
    private turn: Promise<unknown> = Promise.resolve();

    constructor(readonly settings: CloudSettings) {
        this.file = join(labNames(settings.account).directory, "account.json");
        this.idStart = `0b1a5${createHash("sha256").update(settings.account).digest("hex").slice(0, 8)}`;
    }

    get account(): Account {
        return existsSync(this.file) ? (JSON.parse(readFileSync(this.file, "utf8")) as Account) : EMPTY;
    }

    /** Calls one after the other: each one finds the account as the one before it has left it. */
    exclusively<T>(work: () => T | Promise<T>): Promise<T> {
        const result = this.turn.then(work);
        this.turn = result.catch(() => undefined);
        return result;
    }

    /** Adds a row. @returns its id, e.g. `subnet-0b1a53f6c9d20002a`. */
    add<Name extends TableName>(table: Name, prefix: string, row: RowOf<Name>): string {
        const { next } = this.account;
        const id = `${prefix}-${this.idStart}${next.toString(16).padStart(4, "0")}`;
        this.save({ ...this.account, next: next + 1 });
        this.put(table, id, row);
        return id;
    }

    put<Name extends TableName>(table: Name, id: string, row: RowOf<Name>): void {
        this.save({ ...this.account, [table]: { ...this.account[table], [id]: row } });
    }

    remove(table: TableName, id: string): void {
        const rows = Object.entries(this.account[table]).filter(([key]) => key !== id);
        this.save({ ...this.account, [table]: Object.fromEntries(rows) as Table<never> });
    }

    /** Takes away what an account without anything in it has on this host. */
    async closeIfEmpty(): Promise<void> {
        const { images, next, ...rest } = this.account;
        void [images, next];
        if (Object.values(rest).every((rows) => Object.keys(rows).length === 0)) {
            await forgetAccount(this.settings.account);
        }
    }

    /** Ends and removes all that is in the account, whatever a run that failed has left of it. */
    async clear(): Promise<void> {
        await endInstances(this.settings.account);
        const routers = existsSync("/run/netns") ? readdirSync("/run/netns") : [];
        for (const vpcId of routers.filter((name) => name.startsWith(`vpc-${this.idStart}`))) {
            detachGateway(vpcId);
            deleteRouter(vpcId);
        }
        await forgetAccount(this.settings.account);
    }

    /** Has routers and links follow what the account says now. */
    apply(): void {
        applyNetwork(this.account, this.settings.uplink);
    }

    /** Makes the instance a machine; done when it has started, as the API says `running`. */
    async boot(id: string, log: (line: string) => void): Promise<void> {
        const state = this.instance(id);
        const pair = Object.values(this.account.keyPairs).find(({ keyName }) => keyName === state.keyName);
        const boot = {
            account: this.settings.account,
            id,
            ...this.place(state),
            state,
            publicKey: pair?.publicKey ?? "",
        };
        await bootInstance(boot, log);
    }

    async terminate(id: string): Promise<void> {
        const state = this.instance(id);
        await endInstance(
            { account: this.settings.account, id, vpcId: this.place(state).vpcId, state },
            { keepDisk: false },
        );
    }

    /** Off and on again: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Stop_Start.html, with another public address of its own. */
    async stopAndStart(id: string): Promise<void> {
        const state = this.instance(id);
        await restartInstance({ account: this.settings.account, id, vpcId: this.place(state).vpcId, state });
        const after = this.instance(id);
        if (after.publicIp !== undefined) {
            const publicIp = freeAddress(this.account, this.settings.uplink.publicAddresses);
            this.put("instances", id, { ...after, publicIp });
        }
        this.apply();
    }

    instance(id: string): InstanceState {
        return rowOf(this.account.instances, id, "InvalidInstanceID.NotFound");
    }

    private place({ subnetId }: InstanceState): Pick<Boot, "network" | "subnet" | "vpcId"> {
        const { cidrBlock, vpcId } = rowOf(this.account.subnets, subnetId, "InvalidSubnetID.NotFound");
        const { cidrBlock: network } = rowOf(this.account.vpcs, vpcId, "InvalidVpcID.NotFound");
        return { network, subnet: cidrBlock, vpcId };
    }

    private save(account: Account): void {
        mkdirSync(join(this.file, ".."), { recursive: true, mode: 0o700 });
        writeFileSync(`${this.file}.new`, JSON.stringify(account, undefined, 1), { mode: 0o600 });
        renameSync(`${this.file}.new`, this.file);
    }
}
