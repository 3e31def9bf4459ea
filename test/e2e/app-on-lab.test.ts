import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { buildProvider } from "../../examples/app-on-lab/provider";
import { serveMoreImages } from "../../scripts/machines/more-images";
import { ensureParts } from "../../scripts/parts";
import { imagesOf } from "../../scripts/parts/images-of";
import { Example } from "../support/example";
import { HostBefore } from "../support/host-state";
import { Lab, NO_CHANGES, story } from "../support/lab";
import { minifluxOf, TITLES } from "../support/miniflux";

const REPOSITORY = join(__dirname, "../..");

story("an application that a Pulumi program deploys into a lab by its kubeconfig", () => {
    let lab: Lab;
    let host: HostBefore;
    let example: Example;

    beforeAll(async () => {
        const quiet = (): void => undefined;
        const provider = await buildProvider(quiet);
        const parts = await ensureParts({ source: "auto", extras: ["app"] }, quiet);
        lab = new Lab("app-on-lab", "10.249.19.0/24");
        host = new HostBefore(/test-app-on-lab|10\.249\.19\./);
        lab.up();
        serveMoreImages("test-app-on-lab", imagesOf("app", parts));
        // As the example's README has it: the lab's backend and passphrase, and the plugin on PATH.
        example = new Example(
            "app-on-lab",
            "test-app-on-lab",
            { "app-on-lab:lab": "organization/kubelab/test-app-on-lab" },
            {
                PULUMI_BACKEND_URL: `${pathToFileURL(join(REPOSITORY, ".kubelab/pulumi")).href}?metadata=skip`,
                PULUMI_CONFIG_PASSPHRASE_FILE: join(lab.directory, "passphrase"),
                PATH: `${provider}:${process.env["PATH"]}`,
            },
        );
    }, 1_500_000);
    afterAll(() => {
        example.remove();
        lab.remove();
    }, 300_000);

    it("comes up whole: the run ends when every part is ready", async () => {
        const { created } = example.succeed("up");
        expect(created).toBeGreaterThan(25);
        const waiting = "jsonpath={.items[?(@.status.readyReplicas!=2)].metadata.name}";
        expect(lab.kubectl("get", "deployments", "--namespace=miniflux", "-o", waiting)).toBe("");
        expect(await minifluxOf(lab, "cp-1").page()).toContain("<title>");
    }, 600_000);

    it("works, with the administrator's password that the program has made", async () => {
        const miniflux = minifluxOf(lab, "worker-1");
        await miniflux.subscribe();
        expect(await miniflux.titles()).toEqual(TITLES);
    }, 120_000);

    it("stays as it is when nothing has changed", () => {
        expect(example.succeed("up")).toMatchObject(NO_CHANGES);
    }, 300_000);

    it("goes, with its namespaces, and leaves the lab", () => {
        example.succeed("destroy");
        expect(lab.kubectl("get", "namespaces", "-o", "name")).not.toContain("miniflux");
        expect(lab.kubectl("get", "nodes", "--no-headers").match(/ Ready /g)).toHaveLength(3);
    }, 400_000);

    it("leaves nothing behind", async () => {
        lab.down();
        await host.expectAsBefore();
    }, 120_000);
});
