import { execFileSync } from "node:child_process";
import { machineNames } from "../../scripts/machines/names";
import { Driver } from "../support/driver";
import { ETCDCTL, voters } from "../support/etcd";
import { HostBefore } from "../support/host-state";
import { eventually, Lab, NO_CHANGES, story } from "../support/lab";
import { type Requests, SteadyRequests } from "../support/steady-requests";
import { Writer } from "../support/writer";

const PREFIX = "10.249.9";
const CONTROL_PLANES = ["cp-1", "cp-2", "cp-3"];
const OF_A_CONTROL_PLANE = [
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kube-apiserver-keepalived",
];
const OF_A_NODE = ["containerd", "kubelet", "kube-proxy", "kube-apiserver-haproxy"];

/** What clients notice. */
interface Noticed {
    readonly writes: Requests;
    readonly visits: Requests;
}

story("a cluster that loses things", () => {
    let lab: Lab;
    let host: HostBefore;
    let writer: Writer | undefined;
    let visitor: SteadyRequests | undefined;
    const driver = new Driver();

    const running = (): { readonly writer: Writer; readonly visitor: SteadyRequests } => {
        if (writer === undefined || visitor === undefined) {
            throw new Error("nobody writes and visits");
        }
        return { writer, visitor };
    };
    /** From before the action until writes succeed again after it. */
    const noticedDuring = async (action: () => unknown): Promise<Noticed> => {
        const { writer: writes, visitor: visits } = running();
        const before = { writes: writes.last, visits: visits.last };
        await action();
        const { last } = writes;
        await eventually(30, () => {
            expect(writes.since(last).succeeded).toBeGreaterThan(5);
            expect(writes.ended(last)).toBe(true);
        });
        const noticed = { writes: writes.since(before.writes), visits: visits.since(before.visits) };
        console.log(`${expect.getState().currentTestName ?? ""}: ${JSON.stringify(noticed)}`);
        return noticed;
    };
    const expectServed = ({ writes, visits }: Noticed): void => {
        expect(writes.longestGap).toBeLessThan(5000);
        expect(running().writer.lost()).toEqual([]);
        expect(visits.succeeded).toBeGreaterThan(10);
        expect(visits.failed).toBe(0);
    };
    const leader = (among = CONTROL_PLANES): string => {
        const status = (node: string): string => lab.ssh(node, `${ETCDCTL} endpoint status --write-out=fields`);
        const leads = (node: string): boolean => {
            const text = status(node);
            const field = (name: string): string => new RegExp(`"${name}" : (\\d+)`).exec(text)?.[1] ?? "";
            return field("MemberID") === field("Leader");
        };
        return among.find(leads) ?? "";
    };
    const allWell = async (): Promise<void> => {
        await eventually(90, () => {
            expect(lab.run("status", [], 60).code).toBe(0);
        });
    };
    const powerOff = (node: string): void => {
        lab.run("ssh", [node, "--", "systemctl poweroff --force --force"], 30);
    };
    const loseDisk = (node: string): void => {
        driver.succeed("machine", "delete", { lab: lab.stack, machine: node });
    };

    beforeAll(() => {
        lab = new Lab("losing", { local: { network: `${PREFIX}.0/24` }, controlPlanes: 3, workers: 2 });
        host = new HostBefore(/test-losing|10\.249\.9\./);
    });
    afterAll(() => {
        writer?.stop();
        visitor?.stop();
        lab.remove();
        driver.remove();
    }, 120_000);

    it("has three control planes from the beginning, and a web service on both workers", async () => {
        lab.up();
        expect(voters(lab, "cp-1")).toEqual(CONTROL_PLANES);
        lab.kubectl("create", "deployment", "web", "--image=nginx", "--replicas=2");
        lab.kubectl("expose", "deployment", "web", "--port=80", "--type=NodePort");
        lab.kubectl("rollout", "status", "deployment", "web", "--timeout=120s");
        const port = lab.kubectl("get", "service", "web", "-o", "jsonpath={.spec.ports[0].nodePort}");
        const url = `http://${PREFIX}.21:${port}`;
        await eventually(20, () => execFileSync("curl", ["-sf", "--max-time", "2", "-o", "/dev/null", url]));
        writer = new Writer(lab);
        visitor = new SteadyRequests("visitor.sh", url, 200);
    }, 600_000);

    it("serves on when each component is killed in turn", async () => {
        const kill = async (node: string, unit: string): Promise<void> => {
            const process = (): string =>
                lab.ssh(node, `systemctl show --value --property=MainPID,ActiveState ${unit}`);
            const before = process();
            lab.ssh(node, `systemctl kill --kill-whom=main --signal=KILL ${unit}`);
            await eventually(60, () => {
                expect(process()).toMatch(/active/);
                expect(process()).not.toBe(before);
            });
        };
        expectServed(
            await noticedDuring(async () => {
                const first = leader();
                for (const unit of OF_A_CONTROL_PLANE) {
                    await kill(first, unit);
                }
                for (const unit of OF_A_NODE) {
                    await kill("worker-1", unit);
                }
            }),
        );
        await allWell();
    }, 600_000);

    it.each(CONTROL_PLANES)(
        "serves on while %s is off, and takes it in again",
        async (node) => {
            const noticed = await noticedDuring(async () => {
                powerOff(node);
                await new Promise((resolve) => setTimeout(resolve, 8000));
            });
            lab.up();
            expectServed(noticed);
            await allWell();
        },
        300_000,
    );

    it("serves on when etcd's leader is cut off from the network, and takes it in again", async () => {
        const cut = leader();
        const others = CONTROL_PLANES.filter((node) => node !== cut);
        const setPort = (state: "up" | "down"): void => {
            execFileSync("ip", ["link", "set", machineNames(lab.stack, cut).interface, state]);
        };
        expectServed(
            await noticedDuring(async () => {
                setPort("down");
                try {
                    await new Promise((resolve) => setTimeout(resolve, 15_000));
                    expect(others).toContain(leader(others));
                } finally {
                    setPort("up");
                }
                await eventually(60, () => {
                    expect(lab.ssh(cut, `${ETCDCTL} endpoint health`)).toMatch(/is healthy/);
                });
            }),
        );
        await allWell();
    }, 300_000);

    it("serves on while the disk under the leader of etcd is full, and goes on with it afterwards", async () => {
        const full = leader();
        // A disk of its own for etcd's data, small enough to be filled.
        lab.ssh(
            full,
            "systemctl stop etcd && mkdir /var/lib/etcd-before && cp -a /var/lib/etcd/. /var/lib/etcd-before && " +
                "mount -t tmpfs -o size=300m,mode=700,uid=$(id -u etcd),gid=$(id -g etcd) tmpfs /var/lib/etcd && " +
                "cp -a /var/lib/etcd-before/. /var/lib/etcd && rm -r /var/lib/etcd-before && systemctl start etcd",
        );
        await allWell();
        const fill = "cat /dev/zero >/var/lib/etcd/filling 2>/dev/null; df --output=avail /var/lib/etcd | tail -n 1";
        expectServed(
            await noticedDuring(async () => {
                expect(Number(lab.ssh(full, fill))).toBe(0);
                // Its log has room for 64 MB that it has reserved; after them it stops.
                lab.ssh(full, "systemctl restart etcd || true");
                await new Promise((resolve) => setTimeout(resolve, 10_000));
                lab.ssh(full, "rm /var/lib/etcd/filling; systemctl restart etcd");
            }),
        );
        lab.ssh(
            full,
            "systemctl stop etcd && cp -a /var/lib/etcd/. /root/etcd && umount /var/lib/etcd && rm -rf /var/lib/etcd/* && " +
                "cp -a /root/etcd/. /var/lib/etcd && rm -r /root/etcd && systemctl start etcd",
        );
        await allWell();
    }, 300_000);

    it("gets a new first control plane when its disk is lost", async () => {
        expectServed(
            await noticedDuring(() => {
                loseDisk("cp-1");
                lab.up();
            }),
        );
        expect(voters(lab, "cp-2")).toEqual(CONTROL_PLANES);
        await allWell();
        expect(lab.upChanges()).toEqual(NO_CHANGES);
    }, 600_000);

    it("says so when two of three have lost their disks, and serves what needs no control plane", async () => {
        const before = running().visitor.last;
        loseDisk("cp-1");
        loseDisk("cp-3");
        await eventually(30, () => {
            expect(lab.run("status", [], 60).stdout).toMatch(
                /etcd has lost its quorum: 1 of 3 members of etcd answers: cp-2/,
            );
        });
        const { code, stderr } = lab.run("up");
        expect(code).not.toBe(0);
        expect(stderr).toMatch(/The disks of cp-1, cp-3 are gone.*scripts\/lab recover --stack test-losing/s);
        expect(running().visitor.since(before)).toMatchObject({ failed: 0 });
    }, 300_000);

    it("recovers by the documented command, and loses no acknowledged write", async () => {
        const { visits } = await noticedDuring(() => lab.succeed("recover", []));
        expect(visits.failed).toBe(0);
        expect(running().writer.lost()).toEqual([]);
        expect(voters(lab, "cp-2")).toEqual(CONTROL_PLANES);
        await allWell();
        expect(lab.run("recover").stderr).toMatch(/etcd has its quorum.*nothing to recover/);
        expect(lab.upChanges()).toEqual(NO_CHANGES);
        lab.succeed("verify", [], 300);
    }, 900_000);

    it("leaves nothing behind", async () => {
        lab.down();
        await host.expectAsBefore();
    }, 120_000);
});
