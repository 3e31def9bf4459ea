import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { serveMoreImages } from "../../scripts/machines/more-images";
import { ensureParts } from "../../scripts/parts";
import { imagesOf } from "../../scripts/parts/images-of";
import { temporaryDirectory } from "../support/bash";
import { HostBefore } from "../support/host-state";
import { eventually, Lab, story } from "../support/lab";
import { minifluxOf, TITLES } from "../support/miniflux";

const MANIFESTS = join(__dirname, "../../examples/app-on-lab/manifests");

story("an application with a database, a volume and a proxy", () => {
    const directory = temporaryDirectory();
    let lab: Lab;
    let host: HostBefore;

    const kubectl = (...args: string[]): string => lab.kubectl("--namespace=miniflux", ...args);
    const rolledOut = (): void => {
        for (const name of ["statefulset/database", "deployment/web", "deployment/proxy"]) {
            kubectl("rollout", "status", name, "--timeout=200s");
        }
    };
    const secret = (name: string, ...values: string[]): string =>
        kubectl("create", "secret", "generic", name, ...values.map((value) => `--from-literal=${value}`));
    const password = (): string => `password=${randomBytes(12).toString("hex")}`;
    const rows = (table: string): string => {
        const query = ["psql", "-U", "miniflux", "-d", "miniflux", "-Atc", `SELECT count(*) FROM ${table}`];
        return kubectl("exec", "database-0", "--", ...query).trim();
    };

    beforeAll(async () => {
        const parts = await ensureParts({ source: "auto", extras: ["app"] }, () => undefined);
        lab = new Lab("application", "10.249.17.0/24");
        host = new HostBefore(/test-application|10\.249\.17\./);
        lab.up();
        serveMoreImages("test-application", imagesOf("app", parts));
    }, 900_000);
    afterAll(() => {
        lab.remove();
        directory.remove();
    }, 120_000);

    it("comes up from its manifests: volumes, database, migration, web server, proxy", () => {
        lab.kubectl("apply", "-f", join(MANIFESTS, "0-namespaces.yaml"));
        secret("database", password());
        secret("administrator", "username=admin", password());
        lab.kubectl("apply", "-f", MANIFESTS);
        rolledOut();
        expect(kubectl("get", "job", "migration-2-3-5", "-o", "jsonpath={.status.succeeded}")).toBe("1");
        const claims = kubectl("get", "pvc", "-o", "jsonpath={.items[*].status.phase}");
        expect(claims).toBe("Bound Bound");
    }, 400_000);

    it("answers on every node's port, for those who have the password", async () => {
        for (const node of ["cp-1", "worker-1", "worker-2"]) {
            expect(await minifluxOf(lab, node).page()).toContain("<title>");
            await expect(minifluxOf(lab, node).ask("GET", "me")).resolves.toMatchObject({ username: "admin" });
        }
    }, 60_000);

    it("reads a feed inside of the cluster and keeps its entries in the database", async () => {
        await minifluxOf(lab, "worker-2").subscribe();
        expect(await minifluxOf(lab, "worker-1").titles()).toEqual(TITLES);
        expect(rows("entries")).toBe("2");
    }, 60_000);

    it("has its rows when the database's pod is deleted", async () => {
        const before = kubectl("get", "pod", "database-0", "-o", "jsonpath={.metadata.uid}");
        kubectl("delete", "pod", "database-0");
        rolledOut();
        expect(kubectl("get", "pod", "database-0", "-o", "jsonpath={.metadata.uid}")).not.toBe(before);
        await eventually(60, () => {
            expect(rows("entries")).toBe("2");
        });
    }, 240_000);

    it("makes a backup by its CronJob, from which the rows can be restored", () => {
        kubectl("create", "job", "backup-now", "--from=cronjob/backup");
        kubectl("wait", "--for=condition=Complete", "job/backup-now", "--timeout=120s");
        const [file = ""] = lab.ssh("worker-1", "ls /var/lib/miniflux/backups/*.dump").trim().split("\n");
        const dump = join(directory.path, "backup.dump");
        writeFileSync(dump, Buffer.from(lab.ssh("worker-1", `base64 -w0 ${file}`), "base64"));
        kubectl("cp", dump, "database-0:/tmp/backup.dump");
        const restore = [
            "psql -q -U miniflux -d miniflux -c 'CREATE DATABASE restored'",
            "pg_restore -U miniflux -d restored /tmp/backup.dump",
            "psql -qAt -U miniflux -d restored -c 'SELECT title FROM entries ORDER BY published_at'",
        ].join(" && ");
        const restored = kubectl("exec", "database-0", "--", "sh", "-c", restore);
        expect(restored.trim().split("\n")).toEqual(TITLES);
    }, 240_000);

    it("has its rows when the node with the volume has rebooted", async () => {
        const boot = (): string => lab.ssh("worker-1", "systemctl show -P UserspaceTimestampMonotonic");
        const before = boot();
        lab.run("ssh", ["worker-1", "--", "systemctl reboot"], 30);
        await eventually(120, () => {
            expect(boot()).not.toBe(before);
        });
        await eventually(120, () => {
            expect(rows("entries")).toBe("2");
        });
        rolledOut();
        expect(await minifluxOf(lab, "worker-1").titles()).toEqual(TITLES);
    }, 400_000);

    it("leaves nothing behind", async () => {
        lab.down();
        await host.expectAsBefore();
    }, 120_000);
});
