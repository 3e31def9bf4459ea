import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { Summary } from "../../scripts/engine/event";
import { Lab, noLabsHere } from "../support/lab";

const reason = noLabsHere();
const story = reason === undefined ? describe : describe.skip;

/** One node that came up by version 0.1 under the Pulumi CLI; its passphrase is `kubelab`, and its stack has this test's name. */
const FIXTURE = join(__dirname, "../fixtures/state-of-0.1.json.gz");

story(`a stack of version 0.1${reason === undefined ? "" : ` (skipped: ${reason})`}`, () => {
    let lab: Lab;
    beforeAll(() => {
        lab = new Lab("former", "10.247.0.0/24");
        lab.configure({ name: "former", network: "bridge", proxyMode: "iptables", workers: 0 });
        mkdirSync(dirname(lab.stateFile), { recursive: true, mode: 0o700 });
        writeFileSync(lab.stateFile, gunzipSync(readFileSync(FIXTURE)), { mode: 0o600 });
    });
    afterAll(() => {
        // Its machine is gone long since, so that there is nothing to take down.
        rmSync(lab.stateFile, { force: true });
        lab.remove();
    }, 120_000);

    it("goes on under the names of today: nothing is made anew, replaced or deleted", () => {
        const { code, stdout, stderr } = lab.run("up", ["--preview", "--json"], 300, {
            PULUMI_CONFIG_PASSPHRASE: "kubelab",
        });
        expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
        const { created, replaced, deleted, updated, same } = JSON.parse(
            stdout.trim().split("\n").at(-1) ?? "",
        ) as Summary;
        expect({ created, replaced, deleted }).toEqual({ created: 0, replaced: 0, deleted: 0 });
        expect(updated + same).toBeGreaterThan(90);
    }, 300_000);
});
