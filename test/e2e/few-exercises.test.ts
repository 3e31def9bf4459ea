import { readFileSync } from "node:fs";
import { join } from "node:path";
import { catalogue } from "../../scripts/exercise/exercise";
import { solvedBothWays, type Way } from "../support/exercise";
import { Lab, story } from "../support/lab";

const KUBECTL = "scripts/lab kubectl -n exercise";

/** Quick ones, of the machines and of the API; exercises.test.ts has the others. */
const FEW: Readonly<Record<string, Way>> = {
    "half-the-answers": ["scripts/lab ssh worker-2 -- ip route add 10.99.1.0/24 via 10.247.4.21"],
    "waiting-list": [
        `${KUBECTL} patch deployment shop -p '{"spec":{"template":{"spec":{"tolerations":[{"operator":"Exists"}]}}}}'`,
    ],
    islands: ["scripts/lab ssh worker-1 -- iptables -P FORWARD ACCEPT"],
    "the-report": [`${KUBECTL} create rolebinding another --role=reader --serviceaccount=exercise:reporter`],
    "every-other-time": [
        `${KUBECTL} patch endpointslice shop-machines --type json -p '[{"op":"replace","path":"/endpoints/0/conditions/ready","value":false}]'`,
    ],
    "nothing-new": [
        `${KUBECTL} patch validatingwebhookconfiguration guard.example.com --type json -p '[{"op":"replace","path":"/webhooks/0/failurePolicy","value":"Ignore"}]'`,
        `${KUBECTL} rollout restart deployment shop`,
    ],
};

story("a few exercises", () => {
    let lab: Lab;

    beforeAll(() => {
        lab = new Lab("few-exercises", "10.247.4.0/24");
        lab.up();
    }, 900_000);
    afterAll(() => {
        lab.remove();
    }, 120_000);

    it("are listed, with what the lab lacks for others", () => {
        const list = lab.succeed("exercise", ["--list"]);
        catalogue().forEach(({ name }) => expect(list).toContain(name));
        expect(list).toMatch(/two-of-three .*needs 3 control planes/);
        expect(list).toMatch(/no-entry .*needs the pod network kube-router/);
        expect(lab.run("exercise", ["no-entry"])).toMatchObject({ code: 1, stdout: "" });
    });

    Object.entries(FEW).forEach(([name, another]) => {
        solvedBothWays(() => lab, name, another);
    });

    it("give three hints, refuse a second one, and are undone whatever else was changed", () => {
        lab.succeed("exercise", ["islands"]);
        expect(lab.run("exercise", ["waiting-list"]).stderr).toMatch(/"islands" is in the lab/);
        const hints = [1, 2, 3].map(() => lab.succeed("exercise", ["hint"]));
        expect(hints.map((hint) => hint.split("\n")[0])).toEqual(["Hint 1 of 3:", "Hint 2 of 3:", "Hint 3 of 3:"]);
        lab.ssh("worker-1", "systemctl disable --quiet --now kube-proxy; iptables -F FORWARD");
        lab.ssh("worker-2", "rm /etc/kubernetes/kube-proxy/client.crt");
        expect(lab.succeed("exercise", ["undo"], 900)).toMatch(
            /left it: worker-1, worker-2\. Repairing[^]*the lab is as it was/,
        );
        expect(lab.run("status", [], 60).code).toBe(0);
        lab.succeed("verify", [], 300);
    }, 900_000);

    it("can be undone when the start is cut short, and are solved once for all", async () => {
        const start = lab.start("exercise", ["old-addresses"]);
        const file = join(lab.directory, "exercise.json");
        const begun = (): boolean => readFileSync(file, "utf8").includes('"starting"');
        expect(await start.until(begun)).toBe(true);
        await new Promise((resolve) => setTimeout(resolve, 5000));
        await start.killWhole();
        expect(lab.run("exercise", ["check"]).stderr).toMatch(/cut short.*undo/);
        lab.succeed("exercise", ["undo"], 300);
        expect(lab.run("status", [], 60).code).toBe(0);
        expect(lab.succeed("exercise", ["--list"])).toMatch(/✓ {2}islands/);
    }, 300_000);

    it("are forgotten when the lab goes", () => {
        lab.succeed("exercise", ["waiting-list"]);
        lab.down();
        const kept = readFileSync(join(lab.directory, "exercise.json"), "utf8");
        expect(JSON.parse(kept)).toEqual({ solved: Object.keys(FEW).sort() });
    }, 300_000);
});
