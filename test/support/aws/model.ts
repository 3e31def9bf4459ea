/** What is in an account, as the EC2 API sees it. Plain data: kept as JSON between two runs. */
export interface Account {
    /** Counts up for new ids. */
    readonly next: number;
    readonly vpcs: Table<Vpc>;
    readonly subnets: Table<Subnet>;
    readonly gateways: Table<Gateway>;
    readonly routeTables: Table<RouteTable>;
    readonly associations: Table<Association>;
    readonly routes: Table<Route>;
    readonly groups: Table<Group>;
    readonly rules: Table<Rule>;
    readonly keyPairs: Table<KeyPair>;
    readonly addresses: Table<ElasticAddress>;
    readonly instances: Table<InstanceState>;
    /** By id. The newest one that is published is what a look-up finds. */
    readonly images: Table<Image>;
}

export type Table<Row> = Readonly<Record<string, Row>>;
type Tags = Readonly<Record<string, string>>;

export interface Vpc {
    readonly cidrBlock: string;
    readonly tags: Tags;
}

export interface Subnet {
    readonly vpcId: string;
    readonly cidrBlock: string;
    readonly availabilityZone: string;
    readonly tags: Tags;
}

export interface Gateway {
    readonly vpcId: string;
    readonly tags: Tags;
}

export interface RouteTable {
    readonly vpcId: string;
    readonly tags: Tags;
}

export interface Association {
    readonly subnetId: string;
    readonly routeTableId: string;
}

export interface Route {
    readonly routeTableId: string;
    readonly destinationCidrBlock: string;
    readonly gatewayId?: string;
    /** Of an instance's interface: packets go to it by its hardware address, whatever their own address is. */
    readonly networkInterfaceId?: string;
}

export interface Group {
    readonly vpcId: string;
    readonly tags: Tags;
}

export interface Rule {
    readonly direction: "ingress" | "egress";
    readonly securityGroupId: string;
    readonly ipProtocol: string;
    readonly fromPort?: number;
    readonly toPort?: number;
    readonly cidrIpv4?: string;
    readonly referencedSecurityGroupId?: string;
    readonly tags: Tags;
}

export interface KeyPair {
    readonly keyName: string;
    readonly publicKey: string;
    readonly tags: Tags;
}

export interface ElasticAddress {
    readonly publicIp: string;
    /** Of the association; both or none. */
    readonly associationId?: string;
    readonly instanceId?: string;
    readonly tags: Tags;
}

export interface InstanceState {
    readonly ami: string;
    readonly instanceType: string;
    readonly subnetId: string;
    readonly privateIp: string;
    /** Of its own, as long as it runs; none while it has an Elastic IP. */
    readonly publicIp?: string;
    readonly networkInterfaceId: string;
    readonly groups: readonly string[];
    readonly sourceDestCheck: boolean;
    readonly keyName: string;
    readonly userData: string;
    readonly disableApiTermination: boolean;
    readonly spot: boolean;
    readonly tags: Tags;
}

export interface Image {
    readonly name: string;
    readonly owner: string;
    readonly architecture: "x86_64" | "arm64";
    /** ISO 8601 */
    readonly creationDate: string;
}

/** Debian's account, and an image of it that every test account starts with. */
export const DEBIAN = "136693071363";
export const FIRST_IMAGE = "ami-0aaaaaaaaaaaaaaaa";

export const EMPTY: Account = {
    next: 1,
    ...{ vpcs: {}, subnets: {}, gateways: {}, routeTables: {}, associations: {}, routes: {}, groups: {}, rules: {} },
    ...{ keyPairs: {}, addresses: {}, instances: {} },
    images: {
        [FIRST_IMAGE]: {
            name: "debian-12-amd64-20260101-1234",
            owner: DEBIAN,
            architecture: "x86_64",
            creationDate: "2026-01-01T00:00:00.000Z",
        },
    },
};

/** An error as the API answers it. */
export class ApiError extends Error {
    constructor(
        readonly code: string,
        message: string,
    ) {
        super(`api error ${code}: ${message}`);
    }
}

/** The row of that id. @throws ApiError `code` where there is none. */
export function rowOf<Row>(table: Table<Row>, id: string, code: string): Row {
    const row = table[id];
    if (row === undefined) {
        throw new ApiError(code, `The ID '${id}' does not exist`);
    }
    return row;
}

/** The public address by which an instance is reached, if by any. */
export function publicAddressOf(account: Account, id: string): string | undefined {
    const elastic = Object.values(account.addresses).find(({ instanceId }) => instanceId === id);
    return elastic?.publicIp ?? account.instances[id]?.publicIp;
}
