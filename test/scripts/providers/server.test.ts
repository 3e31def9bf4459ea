import { execFile } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import * as grpc from "@grpc/grpc-js";
import { EngineService } from "@pulumi/pulumi/proto/engine_grpc_pb";
import type { LogRequest } from "@pulumi/pulumi/proto/engine_pb";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import { PluginAttach, type PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import * as proto from "@pulumi/pulumi/proto/provider_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { type JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb";
import { command } from "../../../scripts/providers/command";
import { random } from "../../../scripts/providers/random";
import { serveProviders, type ServedProviders } from "../../../scripts/providers/server";
import { listenOnLoopback } from "../../../scripts/support/loopback-server";

const URN = "urn:pulumi:test::sample::kubelab:index:Node$command:local:Command::step";

let served: ServedProviders;
let client: ResourceProviderClient;
beforeEach(async () => {
    served = await serveProviders([
        { name: "command", version: "1.2.3", provider: command },
        { name: "random", version: "4.5.6", provider: random },
    ]);
    client = clientOf("command");
});
afterEach(() => {
    client.close();
    served.close();
});

function portOf(name: string): string {
    return new RegExp(`${name}:(\\d+)`).exec(served.addresses)?.[1] ?? "";
}

function clientOf(name: string): ResourceProviderClient {
    return new ResourceProviderClient(`127.0.0.1:${portOf(name)}`, grpc.credentials.createInsecure());
}

const struct = (properties: Readonly<Record<string, JavaScriptValue>>): Struct => Struct.fromJavaScript(properties);

/** The answer to one call of the protocol. */
function ask<Response>(
    call: (done: (error: grpc.ServiceError | null, response: Response) => void) => unknown,
): Promise<Response> {
    return new Promise((resolve, reject) => call((error, response) => (error ? reject(error) : resolve(response))));
}

function create(inputs: Readonly<Record<string, JavaScriptValue>>, timeout = 0): Promise<proto.CreateResponse> {
    const request = new proto.CreateRequest().setUrn(URN).setProperties(struct(inputs)).setTimeout(timeout);
    return ask((done) => client.create(request, done));
}

function diff(
    before: Readonly<Record<string, JavaScriptValue>>,
    after: Readonly<Record<string, JavaScriptValue>>,
): Promise<proto.DiffResponse> {
    const request = new proto.DiffRequest().setUrn(URN).setId("1");
    return ask((done) =>
        client.diff(request.setOldInputs(struct(before)).setOlds(struct(before)).setNews(struct(after)), done),
    );
}

test("each package has a port of its own, and says the version of its SDK", async () => {
    expect(served.addresses).toMatch(/^command:\d+,random:\d+$/);
    const version = async (): Promise<string> =>
        (await ask<PluginInfo>((done) => client.getPluginInfo(new Empty(), done))).getVersion();
    expect(await version()).toBe("1.2.3");
    client = clientOf("random");
    expect(await version()).toBe("4.5.6");
});

test("a resource is created, found the same or different, updated with its last output at hand, and deleted", async () => {
    const inputs = { create: "echo made", update: 'echo "again after $PULUMI_COMMAND_STDOUT"', delete: "exit 9" };
    const created = await create(inputs);
    expect(created.getId()).toMatch(/^step[0-9a-f]{8}$/);
    const outputs = created.getProperties()?.toJavaScript() ?? {};
    expect(outputs).toEqual({ ...inputs, stdout: "made", stderr: "" });

    expect((await diff(inputs, inputs)).getChanges()).toBe(proto.DiffResponse.DiffChanges.DIFF_NONE);
    const changed = await diff(inputs, { ...inputs, stdin: "x" });
    expect(changed.getChanges()).toBe(proto.DiffResponse.DiffChanges.DIFF_SOME);
    expect([changed.getDiffsList(), changed.getReplacesList()]).toEqual([["stdin"], []]);
    expect((await diff(inputs, { ...inputs, triggers: ["x"] })).getReplacesList()).toEqual(["triggers"]);

    const update = new proto.UpdateRequest().setUrn(URN).setId(created.getId());
    const updated = await ask<proto.UpdateResponse>((done) =>
        client.update(update.setOldInputs(struct(inputs)).setOlds(struct(outputs)).setNews(struct(inputs)), done),
    );
    expect(updated.getProperties()?.toJavaScript()).toMatchObject({ stdout: "again after made" });

    const deletion = new proto.DeleteRequest().setUrn(URN).setId(created.getId());
    await expect(
        ask((done) => client.delete(deletion.setOldInputs(struct(inputs)).setProperties(struct(outputs)), done)),
    ).rejects.toThrow(/exit status 9/);
});

test("a value that isn't known yet at a preview is a change", async () => {
    const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
    expect((await diff({ create: "true", stdin: "x" }, { create: "true", stdin: unknown })).getDiffsList()).toEqual([
        "stdin",
    ]);
});

test("a preview runs nothing, and the engine isn't told that previews are supported", async () => {
    const configured = await ask<proto.ConfigureResponse>((done) =>
        client.configure(new proto.ConfigureRequest(), done),
    );
    expect(configured.getSupportspreview()).toBe(false);
    const handshake = ask((done) => client.handshake(new proto.ProviderHandshakeRequest(), done));
    await expect(handshake).rejects.toMatchObject({ code: grpc.status.UNIMPLEMENTED });
    const inputs = struct({ create: "exit 1" });
    const creation = new proto.CreateRequest().setUrn(URN).setProperties(inputs).setPreview(true);
    const created = await ask<proto.CreateResponse>((done) => client.create(creation, done));
    expect(created.getProperties()?.toJavaScript()).toEqual({ create: "exit 1" });
    const change = new proto.UpdateRequest().setUrn(URN).setOldInputs(inputs).setOlds(inputs).setNews(inputs);
    const updated = await ask<proto.UpdateResponse>((done) => client.update(change.setPreview(true), done));
    expect(updated.getProperties()?.toJavaScript()).toEqual({ create: "exit 1" });
});

test("secret outputs are marked as such", async () => {
    client = clientOf("random");
    const urn = "urn:pulumi:test::sample::random:index/randomBytes:RandomBytes::key";
    const request = new proto.CreateRequest().setUrn(urn).setProperties(struct({ length: 8 }));
    const properties = (await ask<proto.CreateResponse>((done) => client.create(request, done)))
        .getProperties()
        ?.toJavaScript();
    const marked: unknown = expect.objectContaining({
        "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
    });
    expect(properties).toEqual({ length: 8, base64: marked, hex: marked });
});

test("secrets of the inputs stay as they are marked, to the part; commands see them without their marks", async () => {
    const marked = (value: JavaScriptValue): Record<string, JavaScriptValue> => ({
        "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
        value,
    });
    const configured = await ask<proto.ConfigureResponse>((done) =>
        client.configure(new proto.ConfigureRequest(), done),
    );
    expect(configured.getAcceptsecrets()).toBe(true);
    const inputs = { create: "cat; echo $A", environment: { A: marked("a"), B: "b" }, stdin: marked("hidden ") };
    const before = { ...inputs, environment: marked({ A: "a", B: "b" }), stdin: "hidden " };
    const created = (await create(inputs)).getProperties()?.toJavaScript();
    expect(created).toEqual({ ...inputs, stdout: "hidden a", stderr: "" });
    expect((await diff(before, inputs)).getChanges()).toBe(proto.DiffResponse.DiffChanges.DIFF_NONE);
    expect((await diff(before, { ...inputs, stdin: marked("other") })).getDiffsList()).toEqual(["stdin"]);

    const checked = async (type: string, properties: Record<string, JavaScriptValue>): Promise<unknown> => {
        const request = new proto.CheckRequest().setUrn(`urn:pulumi:test::sample::${type}::step`);
        const response = ask<proto.CheckResponse>((done) => client.check(request.setNews(struct(properties)), done));
        return (await response).getInputs()?.toJavaScript();
    };
    expect(await checked("command:local:Command", inputs)).toEqual(inputs);
    const connection = { host: "127.0.0.1", privateKey: "key" };
    const hidden = { host: "127.0.0.1", privateKey: marked("key") };
    const remote = "command:remote:Command";
    expect(await checked(remote, { connection })).toEqual({ connection: hidden });
    expect(await checked(remote, { connection: marked(connection) })).toEqual({ connection: marked(hidden) });
    expect(await checked(remote, { connection: marked(hidden) })).toEqual({ connection: marked(hidden) });
});

test("a refresh leaves a resource as it is", async () => {
    const request = new proto.ReadRequest()
        .setUrn(URN)
        .setId("1")
        .setInputs(struct({ a: 1 }));
    const read = await ask<proto.ReadResponse>((done) => client.read(request.setProperties(struct({ b: 2 })), done));
    expect([read.getId(), read.getInputs()?.toJavaScript(), read.getProperties()?.toJavaScript()]).toEqual([
        "1",
        { a: 1 },
        { b: 2 },
    ]);
});

test("a command's lines reach the engine in order and before its end, even when the engine is slow", async () => {
    const lines: string[] = [];
    const engine = await listenOnLoopback((server) =>
        server.addService(EngineService, {
            log: (call: { readonly request: LogRequest }, callback: (error: null, response: Empty) => void) => {
                const line = call.request.getMessage();
                void delay(line === "1" ? 200 : 0).then(() => {
                    lines.push(`${call.request.getUrn() === URN} ${line}`);
                    callback(null, new Empty());
                });
            },
        }),
    );
    try {
        const request = new PluginAttach().setAddress(`127.0.0.1:${engine.port}`);
        await ask((done) => client.attach(request, done));
        await create({ create: "seq 5" });
        expect(lines).toEqual([1, 2, 3, 4, 5].map((line) => `true ${line}`));
    } finally {
        engine.close();
    }
});

test("the end of a failed command is its error", async () => {
    await expect(create({ create: "echo why >&2; exit 3" })).rejects.toMatchObject({
        details: 'exit status 3: running "echo why >&2; exit 3":\nwhy',
    });
});

test("a command runs as long as its timeout lets it", async () => {
    await expect(create({ create: "sleep 60" }, 0.2)).rejects.toThrow(/SIGKILL \(it timed out\)/);
});

test("the engine's cancellation lets a command end; the end of what runs is asked for apart", async () => {
    const ends = create({ create: "sleep 0.5; echo whole" });
    await ask((done) => client.cancel(new Empty(), done));
    expect((await ends).getProperties()?.toJavaScript()).toMatchObject({ stdout: "whole" });
    const cut = create({ create: "sleep 60" });
    setTimeout(served.endRunning, 200);
    await expect(cut).rejects.toThrow(/SIGKILL \(it was ended by an interrupt\)/);
    await expect(create({ create: "sleep 60" })).rejects.toThrow(/not begun: it was ended by an interrupt/);
});

const reason = process.getuid?.() === 0 ? undefined : "only root can be another user";
(reason === undefined ? test : test.skip)(
    `processes of other users are refused${reason === undefined ? "" : ` (skipped: ${reason})`}`,
    async () => {
        // A call without an argument, by what every Node.js has: its status is in the answer's headers or behind them.
        const call = `
            const connection = require("http2").connect("http://127.0.0.1:${portOf("command")}");
            const path = "/pulumirpc.ResourceProvider/GetPluginInfo";
            const headers = { ":method": "POST", ":path": path, "content-type": "application/grpc", te: "trailers" };
            const request = connection.request(headers);
            const show = (part) => part["grpc-status"] !== undefined && console.log(part["grpc-status"]);
            request.on("response", show).on("trailers", show).on("close", () => connection.close()).resume();
            request.end(Buffer.alloc(5));`;
        const statusFor = async (uid: number): Promise<number> => {
            const options = { uid, gid: uid, cwd: "/" };
            return Number((await promisify(execFile)(process.execPath, ["--eval", call], options)).stdout);
        };
        expect(await statusFor(0)).toBe(grpc.status.OK);
        expect(await statusFor(65534)).toBe(grpc.status.PERMISSION_DENIED);
    },
);
