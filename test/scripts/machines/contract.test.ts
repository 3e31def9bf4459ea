import { isDeepStrictEqual } from "node:util";
import { machineName, machineRequest, networkName, networkRequest } from "../../../scripts/machines/contract";
import { parseRequest } from "../../../scripts/support/request";

const network = {
    lab: "kubenet",
    network: "10.240.0.0/24",
    gateway: "10.240.0.1",
    registryPort: 5000,
    partsDirectory: "/cache/parts/0123",
    registryCertificate: "-----BEGIN CERTIFICATE-----",
    registryKey: "-----BEGIN EC PRIVATE KEY-----",
};
const machine = {
    lab: "kubenet",
    machine: "cp-1",
    addresses: ["10.240.0.11/24"],
    gateway: "10.240.0.1",
    hostKey: "-----BEGIN OPENSSH PRIVATE KEY-----",
    authorizedKeys: ["ssh-ed25519 AAAA"],
};

describe("requests on standard input", () => {
    it("are taken when they are whole", () => {
        expect(parseRequest(networkRequest, JSON.stringify({ ...network, offline: true, preload: true }))).toEqual({
            ...network,
            offline: true,
            preload: true,
        });
        expect(parseRequest(machineRequest, JSON.stringify(machine))).toEqual({
            ...machine,
            hosts: {},
            release: "bookworm",
            driver: "auto",
            vm: { cpus: 2, memory: 2048, disk: 20, accelerator: "auto" },
        });
    });

    it.each([
        [{ lab: "../etc" }, "lab"],
        [{ lab: "Kubenet" }, "lab"],
        [{ lab: `a${"b".repeat(32)}` }, "lab"],
        [{ network: "10.240.0.0" }, "network"],
        [{ gateway: "fd00::1" }, "gateway"],
        [{ registryPort: 65536 }, "registryPort"],
        [{ registryPort: "5000" }, "registryPort"],
        [{ partsDirectory: "parts" }, "partsDirectory"],
        [{ registryKey: undefined }, "registryKey"],
        [{ loopback: "10.240.0.1" }, "loopback"],
    ])("are refused for a network with %j", (change, field) => {
        expect(() => parseRequest(networkRequest, JSON.stringify({ ...network, ...change }))).toThrow(
            `Missing or wrong in the request on standard input: ${field}.`,
        );
    });

    it.each([
        [{ machine: "cp/1" }, "machine"],
        [{ machine: undefined, gateway: "::" }, "machine, gateway"],
        [{ addresses: [] }, "addresses"],
        [{ addresses: ["10.240.0.11/33"] }, "addresses"],
        [{ hosts: { api: "nowhere" } }, "hosts"],
        [{ forwards: { "0.0.0.0:2222": "10.240.0.11:22" } }, "forwards"],
        [{ authorizedKeys: ["ssh-ed25519 AAAA\nssh-rsa BBBB"] }, "authorizedKeys"],
        [{ release: "buster" }, "release"],
    ])("are refused for a machine with %j", (change, field) => {
        expect(() => parseRequest(machineRequest, JSON.stringify({ ...machine, ...change }))).toThrow(field);
    });

    it("never show a secret in the error", () => {
        const secret = "not-a-pem-but-secret";
        const parse = (): unknown => parseRequest(machineRequest, JSON.stringify({ ...machine, hostKey: secret }));
        expect(parse).toThrow("hostKey");
        expect(parse).not.toThrow(secret);
    });

    it("need only names to delete", () => {
        expect(parseRequest(networkName, '{"lab":"kubenet","network":"none"}')).toEqual({ lab: "kubenet" });
        const { authorizedKeys } = machine;
        const named = { lab: "kubenet", machine: "cp-1", authorizedKeys };
        expect(parseRequest(machineName, JSON.stringify(machine))).toEqual(named);
        expect(parseRequest(machineName, '{"lab":"a","machine":"b"}')).toEqual({ lab: "a", machine: "b" });
        expect(() => parseRequest(machineName, '{"lab":"kubenet"}')).toThrow("standard input: machine.");
    });

    it.each(["[]", "null", '"kubenet"', "{"])("are refused where they are no object: %s", (text) => {
        expect(() => parseRequest(networkName, text)).toThrow("Standard input must be one JSON object.");
    });

    it("are the same again once they were kept as JSON, without what only has them made again", () => {
        for (const [schema, request] of [
            [networkRequest, network],
            [machineRequest, { ...machine, hosts: { "api.kubenet": "10.240.0.10" } }],
        ] as const) {
            const settings = parseRequest(schema, JSON.stringify({ ...request, repair: "2026-01-01" }));
            expect(isDeepStrictEqual(JSON.parse(JSON.stringify(settings)), settings)).toBe(true);
            expect(settings).not.toHaveProperty("repair");
        }
    });
});
