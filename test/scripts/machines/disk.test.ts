import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { LIBRARY_PATH, LIBRARY_SUM, putLines, READ_LIBRARY } from "../../../components/steps/script";
import { renderHosts, writeMachineFiles } from "../../../scripts/machines/disk";
import type { MachineRecord } from "../../../scripts/machines/records";
import { bash, temporaryDirectory, wholeScript } from "../../support/bash";

const directory = temporaryDirectory();
afterAll(directory.remove);
const path = (name: string): string => join(directory.path, name);

const RECORD: MachineRecord = {
    lab: "kubenet",
    machine: "worker-1",
    addresses: ["10.240.0.21/24"],
    gateway: "10.240.0.1",
    hosts: { "api.kubenet": "10.240.0.10" },
    stepLibrary: LIBRARY_SUM,
    hostKey: "-----BEGIN OPENSSH PRIVATE KEY-----",
    authorizedKeys: ["ssh-ed25519 AAAA"],
    release: "bookworm",
    driver: "nspawn",
    vm: { cpus: 2, memory: 2048, disk: 20, accelerator: "auto" },
    id: "one",
    machineId: "0".repeat(32),
    base: "/nonexistent",
};

describe("files that make a machine", () => {
    beforeEach(() => writeMachineFiles(directory.path, RECORD, undefined));
    const hosts = (): string => readFileSync(path("etc/hosts"), "utf8");

    it("name it and what it is told about in /etc/hosts", () => {
        expect(renderHosts(RECORD)).toBe(
            "127.0.0.1 localhost\n::1 localhost ip6-localhost\n10.240.0.21 worker-1\n10.240.0.10 api.kubenet # kubelab\n",
        );
    });

    it("have the names in /etc/hosts as a machine's first step wants them", () => {
        const names = putLines(path("etc/hosts"), ["10.240.0.10 api.kubenet"]);
        const { ino } = statSync(path("etc/hosts"));
        expect(bash(wholeScript({ create: [names] }), ["create"])).toMatchObject({ status: 0, stderr: "" });
        expect({ ino: statSync(path("etc/hosts")).ino, hosts: hosts() }).toEqual({ ino, hosts: renderHosts(RECORD) });
    });

    it("leave other lines of a running machine's /etc/hosts alone", () => {
        writeFileSync(path("etc/hosts"), `10.0.0.9 of-mine\n${hosts()}`);
        const record = { ...RECORD, hosts: { "api.other": "10.240.0.10" } };
        writeMachineFiles(directory.path, record, RECORD);
        expect(hosts()).toBe(`10.0.0.9 of-mine\n${renderHosts(record)}`);
    });

    it("have the functions of steps where steps read them, for all to read", () => {
        expect((statSync(path(LIBRARY_PATH)).mode & 0o777).toString(8)).toBe("644");
        const read = READ_LIBRARY.replaceAll(LIBRARY_PATH, path(LIBRARY_PATH));
        expect(bash(`${read}\ndeclare -F put fail`).stdout).toBe("put\nfail\n");
    });

    it("have them again where they are gone or of an earlier version", () => {
        const text = readFileSync(path(LIBRARY_PATH), "utf8");
        rmSync(path("usr"), { recursive: true });
        writeMachineFiles(directory.path, RECORD, RECORD);
        expect(readFileSync(path(LIBRARY_PATH), "utf8")).toBe(text);
        const earlier = join(dirname(LIBRARY_PATH), "steps-0123456789abcdef.sh");
        rmSync(path(LIBRARY_PATH));
        writeFileSync(path(earlier), "earlier\n");
        writeMachineFiles(directory.path, RECORD, { ...RECORD, stepLibrary: "0".repeat(64) });
        expect(readFileSync(path(LIBRARY_PATH), "utf8")).toBe(text);
        expect(readFileSync(path(earlier), "utf8")).toBe("earlier\n");
    });

    it("lack them where they aren't asked for, and are refused with those of another version", () => {
        mkdirSync(path("plain"));
        const { stepLibrary, ...plain } = RECORD;
        writeMachineFiles(path("plain"), plain, undefined);
        expect(() => statSync(path(`plain${LIBRARY_PATH}`))).toThrow("ENOENT");
        const other = { ...RECORD, stepLibrary: "f".repeat(64) };
        expect(() => writeMachineFiles(directory.path, other, undefined)).toThrow(stepLibrary);
    });
});
