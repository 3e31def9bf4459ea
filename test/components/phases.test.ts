import { execFileSync } from "node:child_process";
import { nodeOf, PHASES, phaseOf } from "../../components/phases";
import { temporaryDirectory } from "../support/bash";
import { clusterGraph } from "../support/graph";
import type { Run } from "../support/mocks";
import { testSpec } from "../support/spec";
import { urnOf } from "../support/urns";
import { aHost } from "./machines/hosts/a-host";

jest.setTimeout(60_000);

const directory = temporaryDirectory();
const keyFile = `${directory.path}/key`;
const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";
beforeAll(() => void execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", keyFile]));
afterAll(directory.remove);

const HOSTS = ["control-plane", "worker", "worker"].map((role, index) => ({
    // Names of their own, also those that steps end in.
    name: ["node", "edge-parts", "ready"][index],
    ...{ role, address: `192.168.7.${index + 1}`, user: "admin", keyFile, hostKey },
}));

/** A cluster of each provider, with every way of delivery, hosting and network. */
const CLUSTERS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
    "of local machines": {},
    "of static pods": { hosting: "static-pods", workers: 0 },
    "of three control planes": { controlPlanes: 3 },
    "with a plugin": { network: "cni" },
    "that relays its parts": { parts: { delivery: "relay" } },
    "whose machines fetch their parts": { parts: { delivery: "download" } },
    "on AWS": { provider: "aws", aws: { allowedCidrs: ["203.0.113.7/32"] } },
    "on hosts": { provider: "hosts", hosts: HOSTS },
};

function graphOf(config: Readonly<Record<string, unknown>>): Promise<Run> {
    const spec = testSpec(config);
    const hosts = (spec.hosts ?? []).map((host, index) => aHost(index + 1, {}, host));
    return clusterGraph(spec, { hosts });
}

test.each(Object.entries(CLUSTERS))(
    "every command of a cluster %s has its phase, and its node where it has one",
    async (_, config) => {
        const graph = await graphOf(config);
        const nodes = testSpec(config).nodes.map(({ name }) => name);
        const commands = graph.resources.filter(({ type }) => type.startsWith("command:"));
        const without = commands.filter((resource) => phaseOf(urnOf(resource, graph)) === undefined);
        expect(without.map(({ name }) => name)).toEqual(["client-files"]);
        const remote = commands.filter(({ type, name }) => type === "command:remote:Command" && name !== "coredns");
        const ofNodes = remote.map((resource) => nodeOf(urnOf(resource, graph), "test", nodes));
        expect(new Set(ofNodes.filter((node) => node !== undefined))).toEqual(new Set(nodes));
        const seen = new Set(commands.map((resource) => phaseOf(urnOf(resource, graph))));
        expect(PHASES.filter((phase) => phase !== "keys and certificates" && !seen.has(phase))).toEqual([]);
    },
);
