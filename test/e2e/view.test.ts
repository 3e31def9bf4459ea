import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { Browser, classesOf, rowsOf, seriousViolations } from "../support/browser";
import { Lab, story } from "../support/lab";
import { descendants, type Running } from "../support/running";

/** Tries until it is as expected. */
async function soon(expectation: () => Promise<void>, seconds = 60): Promise<void> {
    const deadline = Date.now() + seconds * 1000;
    for (;;) {
        try {
            return await expectation();
        } catch (error) {
            if (Date.now() > deadline) {
                throw error;
            }
            await new Promise((resolve) => setTimeout(resolve, 200));
        }
    }
}

interface Items<T> {
    readonly items: readonly T[];
}

interface ApiPod {
    readonly metadata: { readonly namespace: string; readonly name: string };
    readonly spec: { readonly nodeName: string };
    readonly status: { readonly podIP: string; readonly phase: string };
}

interface Slice {
    readonly metadata: { readonly labels: Readonly<Record<string, string>> };
    readonly endpoints: readonly { readonly addresses: readonly string[]; readonly conditions: { ready: boolean } }[];
}

const sorted = (rows: readonly string[][]): string[] => rows.map((row) => row.join(" ")).sort();

story("the page of a running lab", () => {
    let lab: Lab;
    let browser: Browser;
    let page: Page;
    let view: Running;
    let url = "";

    const api = <T>(...args: string[]): readonly T[] =>
        (JSON.parse(lab.kubectl("get", ...args, "-o", "json")) as Items<T>).items;
    const machines = (): string[] => lab.outputs().nodes.map(({ name }) => name);
    /** As the machines have them: name, machine, state. */
    const unitsOfMachines = (): string[] =>
        machines().flatMap((machine) => {
            const command = "systemctl list-units --all --plain --no-legend 'kube*' etcd.service containerd.service";
            return lab
                .ssh(machine, command)
                .trim()
                .split("\n")
                .map((line) => line.trim().split(/\s+/))
                .filter(([unit = "", load]) => unit.endsWith(".service") && load === "loaded")
                .map(([unit = "", , state = ""]) => `${unit.replace(".service", "")} ${machine} ${state}`);
        });
    const units = async (): Promise<string[]> =>
        (await rowsOf(page, "units")).map(([unit, machine, state]) => `${unit} ${machine} ${state}`);

    beforeAll(async () => {
        lab = new Lab("view", "10.247.7.0/24");
        browser = await Browser.start();
    }, 120_000);
    afterAll(async () => {
        await browser.close();
        lab.remove();
    }, 120_000);

    it("is served on 127.0.0.1 once the lab is up", async () => {
        lab.up();
        lab.kubectl("create", "deployment", "web", "--image=nginx", "--replicas=3");
        lab.kubectl("set", "env", "deployment/web", "PASSWORD=correct-horse");
        lab.kubectl("create", "secret", "generic", "web", "--from-literal=token=battery-staple");
        lab.kubectl("expose", "deployment", "web", "--port=80");
        lab.kubectl("rollout", "status", "deployment/web", "--timeout=120s");
        view = lab.start("view");
        await view.until(() => view.printed.includes("/\n"));
        url = /http:\S+/.exec(view.printed)?.[0] ?? "";
        expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/[\w-]{32}\/$/);
        page = await browser.open(url);
        await page.locator("svg.lab").waitFor();
    }, 600_000);

    it("shows the units that the machines have, with their states", async () => {
        const wanted = unitsOfMachines();
        expect(wanted.length).toBeGreaterThan(10);
        await soon(async () => expect(await units()).toEqual(expect.arrayContaining(wanted)));
        expect(await classesOf(page, "unit:worker-1/kubelet")).toContain("good");
    }, 120_000);

    it("shows the nodes, pods, addresses, services and endpoints that the API has", async () => {
        const pods = api<ApiPod>("pods", "-A");
        const services = lab.kubectl("get", "services", "-A", "--no-headers").trim().split("\n");
        const slices = api<Slice>("endpointslices", "-l", "kubernetes.io/service-name=web");
        await soon(async () => {
            expect(sorted(await rowsOf(page, "pods"))).toEqual(
                pods
                    .map(({ metadata, spec, status }) => [
                        ...[metadata.name, metadata.namespace, spec.nodeName, status.podIP, status.phase, "0"],
                    ])
                    .map((row) => row.join(" "))
                    .sort(),
            );
            const shown = await rowsOf(page, "services");
            expect(shown.map(([name, namespace, , address]) => `${namespace} ${name} ${address}`).sort()).toEqual(
                services
                    .map((line) => line.split(/\s+/))
                    .map(([namespace, name, , address]) => `${namespace} ${name} ${address}`)
                    .sort(),
            );
            const addresses = slices.flatMap(({ endpoints }) => endpoints.flatMap((each) => each.addresses)).sort();
            const [, , , , , endpoints = "", state] = shown.find(([name]) => name === "web") ?? [];
            expect(endpoints.split(" ").sort()).toEqual(addresses);
            expect(state).toBe("3 of 3 endpoints ready");
            expect((await rowsOf(page, "machines")).map((row) => [row[0], row[5]])).toEqual(
                machines().map((name) => [name, "Ready"]),
            );
        });
        for (const { metadata } of pods) {
            expect(await classesOf(page, `pod:${metadata.namespace}/${metadata.name}`)).toContain("good");
        }
    }, 120_000);

    it("shows the bridges and routes that the kernels have", async () => {
        for (const machine of machines()) {
            const routes = lab.ssh(machine, "ip -4 route show | awk '{print $1}'").trim().split("\n").sort();
            const names = "ip -o link show type bridge | awk -F': ' '{print $2}'";
            const read = `for name in $(${names}); do ip -4 -o address show dev $name; done | awk '{print $2, $4}'`;
            const bridges = lab.ssh(machine, read).trim();
            const shown = (await rowsOf(page, "routes")).filter(([, on]) => on === machine);
            expect(shown.map(([destination]) => destination).sort()).toEqual(routes);
            const [[name, , address] = []] = (await rowsOf(page, "bridges")).filter(([, on]) => on === machine);
            expect(`${name} ${address}`).toBe(bridges);
        }
        expect(await rowsOf(page, "bridges")).toContainEqual(["lab-test-view", "this host", "10.247.7.1/24"]);
    }, 120_000);

    it("lights up the path between two clicks, hop by hop", async () => {
        const [first] = api<ApiPod>("pods", "-l", "app=web");
        const from = `pod:default/${first?.metadata.name}`;
        await page.locator(`[data-id="${from}"]`).click();
        await page.locator('[data-id="service:default/web"]').click();
        await page.getByText(/connected after \d+ ms/).waitFor();
        const hops = page.locator(".hops > li");
        const count = await hops.count();
        expect(count).toBeGreaterThan(4);
        const lit = await page.locator(".hops > li.lit").count();
        await soon(async () => expect(await page.locator(".hops > li.lit").count()).toBe(count));
        expect(lit).toBeLessThan(count);
        expect(await classesOf(page, from)).toEqual(expect.arrayContaining(["lit", "from"]));
        expect(await classesOf(page, "service:default/web")).toContain("to");
        expect(await classesOf(page, `unit:${first?.spec.nodeName}/kube-proxy`)).toContain("lit");
        expect(await hops.first().textContent()).toContain(first?.metadata.name);
        expect(await page.locator("svg .path .stop").count()).toBeGreaterThan(2);
    }, 120_000);

    it("can be used by keyboard alone: Tab into the drawing, arrows in it, Enter chooses", async () => {
        await page.keyboard.press("Escape");
        expect(await page.locator("svg .path").count()).toBe(0);
        await page.locator('[data-id="machine:worker-1"]').focus();
        const seen = new Set<string>();
        for (const key of ["ArrowDown", "ArrowDown", "ArrowRight", "ArrowUp"]) {
            await page.keyboard.press(key);
            seen.add(await page.evaluate<string>("document.activeElement.getAttribute('aria-label')"));
        }
        expect(seen.size).toBe(4);
        await page.locator('[data-id="machine:worker-1"]').focus();
        await page.keyboard.press("Enter");
        expect(await page.getByLabel("From").inputValue()).toBe("machine:worker-1");
        // One stop for Tab, however many items there are.
        expect(await page.locator('svg [tabindex="0"]').count()).toBe(1);
        await page.keyboard.press("Escape");
    }, 180_000);

    it.each(["light", "dark"] as const)(
        "has nothing that axe calls serious, in %s colours",
        async (colorScheme) => {
            await page.emulateMedia({ colorScheme });
            await page.getByText("Tour", { exact: true }).click();
            await page.locator(".tour li, .tour").first().waitFor();
            expect(await seriousViolations(page)).toEqual([]);
            await page.getByText("Tour", { exact: true }).click();
        },
        60_000,
    );

    it("has no secret in what it gets, and refuses who has no token", async () => {
        const { origin, pathname } = new URL(url);
        const texts = await Promise.all(
            ["", "page.js", "page.css", "tour"].map(async (name) => (await fetch(`${url}${name}`)).text()),
        );
        const all = `${texts.join("\n")}\n${await page.content()}\n${await firstEvent(url)}`;
        const kubeconfig = readFileSync(join(lab.directory, "kubeconfig"), "utf8");
        const secrets = [...kubeconfig.matchAll(/(?:-data|token): (\S{20,})/g)].map(([, secret = ""]) => secret);
        expect(secrets.length).toBeGreaterThan(1);
        for (const secret of [...secrets, "correct-horse", "battery-staple", "PRIVATE KEY"]) {
            expect(all.includes(secret)).toBe(false);
        }
        expect(all).toContain("10.247.7.21");
        for (const path of ["/", "/events", `${pathname.slice(0, -2)}x/events`]) {
            expect((await fetch(`${origin}${path}`)).status).toBe(404);
        }
    }, 180_000);

    it("shows what turns red when a kubelet stops, in its order, and turns green again", async () => {
        lab.ssh("worker-1", "systemctl stop kubelet");
        await soon(async () => expect(await classesOf(page, "unit:worker-1/kubelet")).toContain("bad"), 10);
        expect(await classesOf(page, "machine:worker-1")).toContain("good");
        await soon(async () => expect(await classesOf(page, "machine:worker-1")).toContain("bad"), 90);
        expect(lab.kubectl("get", "node", "worker-1", "--no-headers")).toContain("NotReady");
        expect(await units()).toEqual(expect.arrayContaining(unitsOfMachines()));
        const ready = api<Slice>("endpointslices", "-l", "kubernetes.io/service-name=web")
            .flatMap(({ endpoints }) => endpoints)
            .filter(({ conditions }) => conditions.ready).length;
        await soon(async () => {
            const [, , , , , , state] = (await rowsOf(page, "services")).find(([name]) => name === "web") ?? [];
            expect(state).toBe(`${ready} of 3 endpoints ready`);
        }, 20);
        const changes = await page.locator(".changes li .plain").allTextContents();
        const order = [...changes].reverse();
        expect(order[0]).toBe("kubelet on worker-1");
        expect(order.indexOf("node worker-1")).toBeGreaterThan(0);

        lab.ssh("worker-1", "systemctl start kubelet");
        await soon(async () => {
            expect(await classesOf(page, "unit:worker-1/kubelet")).toContain("good");
            expect(await classesOf(page, "machine:worker-1")).toContain("good");
            expect((await rowsOf(page, "pods")).every((row) => row[4] === "Running")).toBe(true);
        });
    }, 240_000);

    it("makes pictures that need nothing else", async () => {
        const directory = mkdtempSync(join(tmpdir(), "kubelab-test-view-"));
        for (const name of ["lab.svg", "lab.html"]) {
            lab.succeed("view", ["--export", join(directory, name)]);
            const picture = await browser.open(`file://${join(directory, name)}`);
            const text = (await picture.locator("svg").textContent()) ?? "";
            for (const word of ["cp-1", "worker-2", "kube-apiserver", "default/web", "10.247.7.1/24"]) {
                expect(text).toContain(word);
            }
            await picture.close();
        }
        rmSync(directory, { recursive: true });
        expect(lab.run("view", ["--export", "lab.png"]).stderr).toContain("ends with .svg or .html");
    }, 180_000);

    it("has asked nobody but its own server, and had nothing to complain of", () => {
        const { origin } = new URL(url);
        const elsewhere = browser.asked.filter(
            (asked) => !asked.startsWith(`${origin}/`) && !asked.startsWith("file:"),
        );
        expect({ elsewhere, complaints: browser.complaints }).toEqual({ elsewhere: [], complaints: [] });
        expect(browser.asked.length).toBeGreaterThan(4);
    });

    it("ends with all that it has started when it is interrupted", async () => {
        const started = descendants(view.pid);
        expect(started.length).toBeGreaterThan(machines().length);
        view.interrupt();
        expect((await view.ended).code).toBe(0);
        const left = started.filter((pid) => isAlive(pid));
        expect(left).toEqual([]);
        await page.getByText("scripts/lab view has ended").waitFor();
        await soon(async () => {
            const running = lab.ssh("worker-1", "pgrep -fc '[b]ash -s -- etcd' || true").trim();
            await Promise.resolve(expect(running).toBe("0"));
        }, 20);
    }, 180_000);
});

function isAlive(pid: number): boolean {
    try {
        process.kill(pid, 0);
        return true;
    } catch {
        return false;
    }
}

/** What the page is told first. */
async function firstEvent(url: string): Promise<string> {
    const answer = await fetch(`${url}events`);
    for await (const chunk of answer.body ?? []) {
        return Buffer.from(chunk as Uint8Array).toString();
    }
    return "";
}
