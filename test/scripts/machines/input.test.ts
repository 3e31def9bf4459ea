import { parseMachineRequest, parseNames, parseNetworkRequest } from "../../../scripts/machines/input";

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
        expect(parseNetworkRequest(JSON.stringify({ ...network, offline: true, preload: true }))).toEqual({
            ...network,
            offline: true,
            preload: true,
        });
        expect(parseMachineRequest(JSON.stringify(machine))).toEqual({ ...machine, hosts: {}, release: "bookworm" });
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
    ])("are refused for a network with %j", (change, field) => {
        expect(() => parseNetworkRequest(JSON.stringify({ ...network, ...change }))).toThrow(
            `Missing or wrong in the request on standard input: ${field}.`,
        );
    });

    it.each([
        [{ machine: "cp/1" }, "machine"],
        [{ addresses: [] }, "addresses"],
        [{ addresses: ["10.240.0.11/33"] }, "addresses"],
        [{ hosts: { api: "nowhere" } }, "hosts"],
        [{ authorizedKeys: ["ssh-ed25519 AAAA\nssh-rsa BBBB"] }, "authorizedKeys"],
        [{ release: "buster" }, "release"],
    ])("are refused for a machine with %j", (change, field) => {
        expect(() => parseMachineRequest(JSON.stringify({ ...machine, ...change }))).toThrow(field);
    });

    it("never show a secret in the error", () => {
        const secret = "not-a-pem-but-secret";
        const parse = (): unknown => parseMachineRequest(JSON.stringify({ ...machine, hostKey: secret }));
        expect(parse).toThrow("hostKey");
        expect(parse).not.toThrow(secret);
    });

    it("need only names to delete", () => {
        expect(parseNames('{"lab":"kubenet"}')).toEqual({ lab: "kubenet", machine: undefined });
        expect(() => parseNames("[]")).toThrow("one JSON object");
    });
});
