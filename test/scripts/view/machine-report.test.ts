import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ReportReader } from "../../../scripts/view/live/machine-report";

/** What machine-watch.sh printed on a worker in two seconds. */
const CAPTURED = readFileSync(join(__dirname, "machine-report.txt"), "utf8").trimEnd().split("\n");

const last = (lines: readonly string[], reader = new ReportReader()): ReturnType<ReportReader["take"]> =>
    lines.map((line) => reader.take(line)).at(-1);

describe("what a machine reports", () => {
    it("is its units, without those that it does not have, and since when they are so", () => {
        expect(last(CAPTURED)?.units).toEqual([
            { ...{ name: "kubenet", health: "good", state: "active", restarts: 0 }, since: "2026-11-29T03:15:15.102Z" },
            {
                ...{ name: "containerd", health: "good", state: "active", restarts: 0 },
                since: "2026-11-29T03:15:17.892Z",
            },
            { ...{ name: "kubelet", health: "good", state: "active", restarts: 0 }, since: "2026-11-29T03:33:51.966Z" },
            {
                ...{ name: "kube-proxy", health: "good", state: "active", restarts: 0 },
                since: "2026-11-29T03:15:39.188Z",
            },
        ]);
    });

    it("is its addresses, bridges and routes", () => {
        const { addresses, bridges, routes } = last(CAPTURED) ?? {};
        expect(addresses).toEqual([
            { device: "eth0", address: "10.247.0.21/24" },
            { device: "cbr0", address: "10.99.1.1/24" },
        ]);
        expect(bridges).toEqual([{ name: "cbr0", addresses: ["10.99.1.1/24"] }]);
        expect(routes).toEqual([
            { destination: "default", via: "10.247.0.1", device: "eth0" },
            { destination: "10.99.1.0/24", device: "cbr0" },
            { destination: "10.99.2.0/24", via: "10.247.0.22", device: "eth0" },
            { destination: "10.99.255.0/24", via: "10.247.0.11", device: "eth0" },
            { destination: "10.247.0.0/24", device: "eth0" },
        ]);
    });

    it("is the same object until something changes", () => {
        const reader = new ReportReader();
        const first = last(CAPTURED, reader);
        expect(reader.take("--- alive")).toBe(first);
    });

    it("keeps what did not change when a unit fails, and a static pod does not run", () => {
        const reader = new ReportReader();
        last(CAPTURED, reader);
        const report = last(
            [
                ...["--- units", "Id=kubelet.service", "LoadState=loaded", "ActiveState=failed", "NRestarts=3"],
                ...["StateChangeTimestamp=Sun 2026-11-29 04:00:00.000001 UTC", "--- static-pods", "etcd 1"],
                ...["kube-apiserver 0", "--- end", "--- alive"],
            ],
            reader,
        );
        expect(report?.units).toEqual([
            { name: "etcd (pod)", health: "good", state: "running", restarts: 0 },
            { name: "kube-apiserver (pod)", health: "bad", state: "not running", restarts: 0 },
            { ...{ name: "kubelet", health: "bad", state: "failed", restarts: 3 }, since: "2026-11-29T04:00:00.000Z" },
        ]);
        expect(report?.routes).toHaveLength(5);
    });

    it("says nothing before its first turn is over", () => {
        expect(last(CAPTURED.slice(0, 12))).toBeUndefined();
    });
});
