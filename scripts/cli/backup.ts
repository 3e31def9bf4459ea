import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { ClusterSpec } from "../../components/cluster-spec";
import { replacedAuthorities } from "../../components/cluster-spec/authorities";
import { BACKUP_DIRECTORY } from "../../components/cluster-spec/backup";
import type { Engine } from "../engine/engine";
import { Display } from "../support/display";
import { UserError } from "../support/errors";
import { syncPath } from "../support/sync";
import { givenPath } from "../support/working-directory";
import { type Backup, type BackupFacts, openBackup, sealBackup } from "./backup/archive";
import {
    findSnapshot,
    putDataAside,
    restoreMachineSnapshot,
    restoreSnapshot,
    takeDataBack,
    takeSnapshot,
} from "./backup/etcd";
import { authorityOf, identityOf } from "./backup/state";
import type { ClusterAccess } from "./cluster-access";
import { KeptRepairs } from "./kept-repairs";
import { openCluster } from "./open-cluster";
import { repair } from "./repair";
import { requireSpec } from "./spec-of-stack";
import type { Stack, StackNode } from "./stack";
import { clusterStatus, isHealthy } from "./status";
import { settled } from "./stopped-machines";
import { quietEngine, up } from "./up";

/** Seconds until the nodes' states and the pods have followed what was restored. */
const SETTLE_SECONDS = 90;

/**
 * Writes a file with all that a cluster is: what etcd has, its authorities and its keys, encrypted with the stack's passphrase.
 *
 * @throws UserError where the file exists, the stack isn't up, or etcd gives no snapshot.
 */
export async function backup(stack: Stack, path: string): Promise<void> {
    const file = givenPath(path);
    if (existsSync(file)) {
        throw new UserError(`${file} exists: a backup overwrites nothing.`);
    }
    if (!existsSync(dirname(file))) {
        throw new UserError(`There is no directory ${dirname(file)}.`);
    }
    const cluster = await openCluster(stack);
    const display = new Display();
    try {
        display.begin("backup");
        const spec = requireSpec(stack);
        const engine = await quietEngine(stack);
        const state = await engine.state();
        const { snapshot, revision, keys } = await takeSnapshot(cluster, controlPlaneOf(stack));
        const facts: BackupFacts = {
            ...comparable(spec),
            stack: stack.name,
            lab: spec.name,
            created: new Date().toISOString(),
            nodes: stack.outputs().nodes.map(({ name }) => name),
            authority: authorityOf(state),
            revision,
            keys,
        };
        const bytes = sealBackup({ facts, state, snapshot }, passphraseOf(engine));
        writeFileSync(`${file}.new`, bytes, { mode: 0o600, flag: "wx" });
        syncPath(`${file}.new`);
        renameSync(`${file}.new`, file);
        const size = (bytes.length / 1024 ** 2).toFixed(1);
        display.line(`${file}: ${keys} keys of etcd at revision ${revision}, ${size} MiB`);
        display.line("To read it takes the stack's passphrase, which isn't in it: keep that elsewhere, too.");
    } finally {
        display.end();
    }
}

/**
 * Makes a cluster what it was when the file was written: in place, or, where the stack isn't up, in a new lab with the same authorities.
 *
 * @returns whether the cluster is healthy afterwards.
 * @throws UserError where the file is damaged, or is of another cluster, before anything has changed.
 */
export async function restore(stack: Stack, path: string): Promise<boolean> {
    stack.requireConfig();
    const file = givenPath(path);
    if (!existsSync(file)) {
        throw new UserError(`There is no file ${file}.`);
    }
    const spec = requireSpec(stack);
    const engine = await quietEngine(stack);
    const read = readBackup(file, passphraseOf(engine));
    refuseForeign(file, read.facts, stack, spec);
    if (stack.isUp()) {
        refuseOther(file, read.facts, await engine.state(), stack);
    } else if ((await engine.resources()).length > 0) {
        throw new UserError(
            `The stack "${stack.name}" is neither up nor down: finish that by '${stack.command("up")}' or '${stack.command("down")}' first.`,
        );
    } else {
        console.log(`a new lab with the authorities and keys of ${file}`);
        await engine.replaceState(identityOf(read.state));
        await up(stack, { config: [], preview: false, json: false, verbose: false, flags: [] });
    }
    const cluster = await openCluster(stack);
    const { snapshot, facts } = read;
    const node = controlPlaneOf(stack);
    await replaceData(cluster, node, async (display) => {
        await restoreSnapshot(cluster, node, snapshot, spec.api.port);
        display.line(`restored: ${facts.keys} keys of etcd as of ${facts.created}`);
    });
    return settle(cluster);
}

/** `cp-1:20261128T060000Z`, `cp-1:latest`: a snapshot on a machine; a path has a slash or no colon. */
const ON_MACHINE = /^([a-z0-9][a-z0-9-]*):([^/]+)$/;

/**
 * Makes a running cluster what it was at a snapshot that the timer of a control plane took.
 *
 * @param from `<node>:<name of the snapshot>`, or `<node>:latest`; undefined is returned for what isn't that.
 */
export function restoreFromMachine(stack: Stack, from: string): Promise<boolean> | undefined {
    const [, name, snapshot] = ON_MACHINE.exec(from) ?? [];
    return name === undefined || snapshot === undefined ? undefined : restoreSnapshotOf(stack, name, snapshot);
}

async function restoreSnapshotOf(stack: Stack, name: string, wanted: string): Promise<boolean> {
    const spec = requireSpec(stack);
    const cluster = await openCluster(stack);
    const node = stack.controlPlanes().find((each) => each.name === name);
    if (node === undefined) {
        const names = stack.controlPlanes().map((each) => each.name);
        throw new UserError(
            `${name} is no control plane of the stack "${stack.name}"; it has ${names.join(", ")}. Nothing was changed.`,
        );
    }
    const snapshot = await findSnapshot(cluster, node, spec.backup?.directory ?? BACKUP_DIRECTORY, wanted);
    await replaceData(cluster, node, async (display) => {
        await restoreMachineSnapshot(cluster, node, snapshot, spec.api.port);
        display.line(`restored: ${snapshot.keys} keys of etcd from ${snapshot.path} on ${name}`);
    });
    return settle(cluster);
}

/**
 * Replaces the data of one control plane. Those of the others don't fit them any more: before that they stop and put theirs aside, and
 * afterwards `up` makes them members again. Where it fails, all is as before.
 */
async function replaceData(
    cluster: ClusterAccess,
    node: StackNode,
    replace: (display: Display) => Promise<void>,
): Promise<void> {
    const { stack } = cluster;
    const others = stack.controlPlanes().filter(({ name }) => name !== node.name);
    const display = new Display();
    try {
        display.begin("etcd");
        await putDataAside(cluster, others);
        try {
            await replace(display);
        } catch (error) {
            await takeDataBack(cluster, others);
            throw error;
        }
    } finally {
        display.end();
    }
    if (others.length > 0) {
        const names = others.map(({ name }) => name);
        console.log(`${names.join(", ")} join ${node.name} again`);
        new KeptRepairs(stack).add(names, new Date().toISOString());
        await up(stack, { config: [], preview: false, json: false, verbose: false, flags: [] });
    }
}

/** A snapshot may have nodes that the lab no longer has. */
async function removeForeignNodes(cluster: ClusterAccess): Promise<void> {
    const own = cluster.stack.outputs().nodes.map(({ name }) => name);
    const there = (await cluster.kubectl(["get", "nodes", "-o", "name"])).split("\n").filter(Boolean);
    for (const gone of there.map((each) => each.replace("node/", "")).filter((each) => !own.includes(each))) {
        await cluster.kubectl(["delete", "node", gone, "--ignore-not-found"]);
        console.log(`${gone} is no node of this lab any more`);
    }
}

/** What `up` has made since then, a node's object say, is put back. */
async function settle(cluster: ClusterAccess): Promise<boolean> {
    await removeForeignNodes(cluster);
    const well = async (): Promise<boolean> => isHealthy(await clusterStatus(cluster));
    await settled(SETTLE_SECONDS, async () => !(await well()));
    return (await well()) || repair(cluster.stack, [], false);
}

function readBackup(file: string, passphrase: string): Backup {
    try {
        return openBackup(readFileSync(file), passphrase);
    } catch (error) {
        throw new UserError(`${file}: ${(error as Error).message}. Nothing was changed.`);
    }
}

/** What has to be the same for a cluster to live on what another one has written. */
function comparable({
    versions,
    podCidr,
    serviceCidr,
    encryptionKeys,
    authorities,
}: ClusterSpec): Pick<BackupFacts, "versions" | "podCidr" | "serviceCidr" | "encryptionKeys" | "authorities"> {
    const { kubernetes, etcd } = versions;
    return {
        ...{ versions: { kubernetes, etcd }, podCidr, serviceCidr, encryptionKeys: [...encryptionKeys] },
        authorities: replacedAuthorities(authorities),
    };
}

function refuseForeign(file: string, facts: BackupFacts, stack: Stack, spec: ClusterSpec): void {
    const now = comparable(spec);
    const minor = (version: string): string => version.split(".").slice(0, 2).join(".");
    const missing = facts.encryptionKeys.filter((name) => !now.encryptionKeys.includes(name));
    const differences = [
        ...(facts.stack === stack.name ? [] : [`it is of the stack "${facts.stack}"`]),
        ...(facts.lab === spec.name ? [] : [`it is of the lab "${facts.lab}", and this is "${spec.name}"`]),
        ...(["podCidr", "serviceCidr"] as const)
            .filter((key) => facts[key] !== now[key])
            .map((key) => `its ${key} is ${facts[key]}, and kubelab:${key} ${now[key]}`),
        ...(["kubernetes", "etcd"] as const)
            .filter((part) => minor(facts.versions[part]) !== minor(now.versions[part]))
            .map((part) => `it is of ${part} ${facts.versions[part]}, and this is ${now.versions[part]}`),
        ...(isDeepStrictEqual(facts.authorities, now.authorities)
            ? []
            : [
                  `kubelab:authorities was ${JSON.stringify(facts.authorities)}, and is ${JSON.stringify(now.authorities)}`,
              ]),
        ...(missing.length === 0 ? [] : [`its Secrets need the keys ${missing.join(", ")} in kubelab:encryptionKeys`]),
    ];
    if (differences.length > 0) {
        throw new UserError(`${file} doesn't fit here: ${differences.join("; ")}. Nothing was changed.`);
    }
}

function refuseOther(file: string, facts: BackupFacts, state: unknown, stack: Stack): void {
    if (facts.authority !== authorityOf(state)) {
        throw new UserError(
            `${file} is of a cluster with other authorities than the one that is up: none of its certificates and tokens would be ` +
                `good here. '${stack.command("down")}' first, and the restore makes a new lab. Nothing was changed.`,
        );
    }
}

function controlPlaneOf(stack: Stack): StackNode {
    const [found] = stack.controlPlanes();
    if (found === undefined) {
        throw new UserError(`The stack "${stack.name}" has no control plane.`);
    }
    return found;
}

function passphraseOf(engine: Engine): string {
    const passphrase = engine.passphrase();
    if (!passphrase) {
        throw new UserError(
            "A backup is encrypted with the stack's passphrase, and there is none: set PULUMI_CONFIG_PASSPHRASE_FILE, or put " +
                "it into .kubelab/<stack>/passphrase (0600).",
        );
    }
    return passphrase;
}
