import * as grpc from "@grpc/grpc-js";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { LogRequest, LogSeverity } from "@pulumi/pulumi/proto/engine_pb";
import { type PluginAttach, PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import { type IResourceProviderServer, ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as proto from "@pulumi/pulumi/proto/provider_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { listenOnLoopback } from "../support/loopback-server";
import { diffOf, type Provider, type Subject } from "./provider";
import { equal, open, openAll, type Properties, secret, type Value, withSecretAt } from "./value";

/** A package of resource types and who does its work. */
export interface ServedPackage {
    /** As in a type's token: `command`. */
    readonly name: string;
    /** Of the SDK whose resources it serves; the engine compares it. */
    readonly version: string;
    readonly provider: Provider;
}

export interface ServedProviders {
    /** Value of PULUMI_DEBUG_PROVIDERS, by which the engine finds them: `command:40123,tls:40124`. */
    readonly addresses: string;
    /** Ends what runs; operations that it cuts short fail. */
    readonly endRunning: () => void;
    readonly close: () => void;
}

/**
 * Serves packages to the Pulumi engine in this process, a port each.
 *
 * The engine's own cancellation ends nothing that runs: what runs may end, and the engine begins nothing more.
 */
export async function serveProviders(packages: readonly ServedPackage[]): Promise<ServedProviders> {
    const force = new AbortController();
    const servers = await Promise.all(
        packages.map(async (served) => ({
            ...(await listenOnLoopback((server) =>
                server.addService(ResourceProviderService, serviceOf(served, force.signal)),
            )),
            name: served.name,
        })),
    );
    return {
        addresses: servers.map(({ name, port }) => `${name}:${port}`).join(","),
        endRunning: () => force.abort(),
        close: () => servers.forEach((server) => server.close()),
    };
}

/** Sends log lines to the engine, in order. */
class EngineLog {
    private engine: EngineClient | undefined;
    private last: Promise<void> = Promise.resolve();

    connect(address: string): void {
        this.engine ??= address === "" ? undefined : new EngineClient(address, grpc.credentials.createInsecure());
    }

    send(urn: string, line: string): void {
        const request = new LogRequest();
        request.setSeverity(LogSeverity.INFO);
        request.setUrn(urn);
        request.setMessage(line);
        this.last = this.last.then(
            () => new Promise((resolve) => (this.engine ? this.engine.log(request, () => resolve()) : resolve())),
        );
    }

    sent(): Promise<void> {
        return this.last;
    }
}

/** The service without what nothing here asks for (schemas, components, parameters); gRPC answers those with UNIMPLEMENTED. */
function serviceOf(
    { version, provider }: ServedPackage,
    force: AbortSignal,
): Partial<IResourceProviderServer> & grpc.UntypedServiceImplementation {
    const log = new EngineLog();
    const subject = (urn: string, seconds: number): Subject => ({
        type: typeOf(urn),
        name: urn.split("::")[3] ?? "",
        signal: seconds > 0 ? AbortSignal.any([force, AbortSignal.timeout(seconds * 1000)]) : force,
        log: (line) => log.send(urn, line),
    });
    const unary =
        <Request, Response>(
            work: (request: Request) => Response | Promise<Response>,
        ): grpc.handleUnaryCall<Request, Response> =>
        (call, callback) => {
            Promise.resolve()
                .then(() => work(call.request))
                .finally(() => log.sent())
                .then(
                    (response) => callback(null, response),
                    (error: unknown) =>
                        callback({
                            code: grpc.status.UNKNOWN,
                            details: error instanceof Error ? error.message : String(error),
                        }),
                );
        };
    /** Outputs with the marks of secrets; those that repeat an input have the input's. */
    const outputs = (type: string, properties: Properties, inputs: Properties): Struct => {
        const hidden = provider.secretOutputs?.(type) ?? [];
        const marked = Object.entries(properties).map(([key, value]) => {
            const input = inputs[key];
            const same = input !== undefined && equal(open(input), value) ? input : value;
            return [key, hidden.includes(key) ? secret(same) : same] as const;
        });
        return Struct.fromJavaScript(Object.fromEntries(marked));
    };
    return {
        // There is no handshake: of a provider that has one the engine thinks that it supports previews, and asks for every `create`.
        attach: unary((request: PluginAttach) => {
            log.connect(request.getAddress());
            return new Empty();
        }),
        getPluginInfo: unary(() => new PluginInfo().setVersion(version)),
        checkConfig: unary((request: proto.CheckRequest) => new proto.CheckResponse().setInputs(request.getNews())),
        diffConfig: unary(() => new proto.DiffResponse()),
        // The engine itself would mark the whole of an output that repeats an input with a secret in it.
        configure: unary(() => new proto.ConfigureResponse().setAcceptsecrets(true)),
        cancel: unary(() => new Empty()),
        check: unary((request: proto.CheckRequest) => {
            const paths = provider.secretInputs?.(typeOf(request.getUrn())) ?? [];
            const inputs = paths.reduce<Value>(
                (value, path) => withSecretAt(value, path.split(".")),
                markedOf(request.getNews()),
            );
            return new proto.CheckResponse().setInputs(Struct.fromJavaScript(inputs as Properties));
        }),
        diff: unary((request: proto.DiffRequest) => {
            const before = {
                id: request.getId(),
                inputs: propertiesOf(request.getOldInputs()),
                outputs: propertiesOf(request.getOlds()),
            };
            const {
                changed,
                replace,
                stable = [],
            } = diffOf(provider, typeOf(request.getUrn()), before, propertiesOf(request.getNews()));
            const { DIFF_SOME, DIFF_NONE } = proto.DiffResponse.DiffChanges;
            return new proto.DiffResponse()
                .setChanges(changed.length > 0 ? DIFF_SOME : DIFF_NONE)
                .setDiffsList([...changed])
                .setReplacesList([...replace])
                .setStablesList([...stable]);
        }),
        create: unary(async (request: proto.CreateRequest) => {
            if (request.getPreview()) {
                return new proto.CreateResponse().setProperties(request.getProperties());
            }
            const own = subject(request.getUrn(), request.getTimeout());
            const inputs = markedOf(request.getProperties());
            const created = await provider.create(own, openAll(inputs));
            return new proto.CreateResponse()
                .setId(created.id)
                .setProperties(outputs(own.type, created.outputs, inputs));
        }),
        update: unary(async (request: proto.UpdateRequest) => {
            if (request.getPreview()) {
                return new proto.UpdateResponse().setProperties(request.getNews());
            }
            const own = subject(request.getUrn(), request.getTimeout());
            const before = {
                id: request.getId(),
                inputs: propertiesOf(request.getOldInputs()),
                outputs: propertiesOf(request.getOlds()),
            };
            const inputs = markedOf(request.getNews());
            const after = (await provider.update?.(own, before, openAll(inputs))) ?? {};
            return new proto.UpdateResponse().setProperties(outputs(own.type, after, inputs));
        }),
        delete: unary(async (request: proto.DeleteRequest) => {
            const existing = {
                id: request.getId(),
                inputs: propertiesOf(request.getOldInputs()),
                outputs: propertiesOf(request.getProperties()),
            };
            await provider.delete?.(subject(request.getUrn(), request.getTimeout()), existing);
            return new Empty();
        }),
        // Resources of these packages cannot be read from outside: a refresh leaves the state as it is.
        read: unary((request: proto.ReadRequest) =>
            new proto.ReadResponse()
                .setId(request.getId())
                .setProperties(request.getProperties())
                .setInputs(request.getInputs()),
        ),
        invoke: unary(async (request: proto.InvokeRequest) => {
            if (!provider.invoke) {
                throw new Error(`there is no function ${request.getTok()}`);
            }
            const result = await provider.invoke(request.getTok(), propertiesOf(request.getArgs()));
            return new proto.InvokeResponse().setReturn(Struct.fromJavaScript(result));
        }),
    };
}

/** The type of the resource itself, without those of its parents. */
function typeOf(urn: string): string {
    return (urn.split("::")[2] ?? "").split("$").at(-1) ?? "";
}

/** As the engine sends them, with the marks of secrets. */
function markedOf(struct: Struct | undefined): Properties {
    return struct?.toJavaScript() ?? {};
}

function propertiesOf(struct: Struct | undefined): Properties {
    return openAll(markedOf(struct));
}
