import type { InvokeResponse } from "@pulumi/pulumi/proto/provider_pb";
import type {
    ReadResourceRequest,
    ReadResourceResponse,
    RegisterResourceOutputsRequest,
    RegisterResourceRequest,
    RegisterResourceResponse,
    ResourceInvokeRequest,
    SupportsFeatureRequest,
} from "@pulumi/pulumi/proto/resource_pb";
import type { Deployment } from "./deployment";
import { readGoal } from "./goal";
import { providerOf } from "./provider";
import { Stopped, type Run } from "./run";
import { MockMonitor, provproto, resproto, struct } from "./sdk";
import { plainProperties } from "./value";

type Callback<Response> = (error: unknown, response: Response) => void;

/** Features of the Pulumi engine that this one has not. */
const MISSING = new Set(["outputValues", "transforms", "invokeTransforms", "resourceHooks", "errorHooks"]);

/** The side of the engine that the SDK in the program talks to, in place of the Pulumi CLI's over gRPC. */
export class EngineMonitor extends MockMonitor {
    constructor(
        private readonly deployment: Deployment,
        private readonly run: Run,
        /** `organization/project/stack` */
        private readonly stackName: string,
    ) {
        super({
            call: () => Promise.reject(new Error("not a mock")),
            newResource: () => Promise.reject(new Error("not a mock")),
        });
    }

    override async registerResource(
        request: RegisterResourceRequest,
        callback: Callback<RegisterResourceResponse | undefined>,
    ): Promise<void> {
        const resource = `${request.getName()} (${request.getType()})`;
        await this.answer(callback, resource, async () => {
            const { urn, id, outputs } = await this.deployment.register(readGoal(request));
            const response = new resproto.RegisterResourceResponse();
            response.setUrn(urn);
            response.setId(id);
            response.setObject(struct.Struct.fromJavaScript(outputs));
            return response;
        });
    }

    override registerResourceOutputs(request: RegisterResourceOutputsRequest, callback: Callback<object>): void {
        this.deployment.registerOutputs(request.getUrn(), request.getOutputs()?.toJavaScript() ?? {});
        callback(null, {});
    }

    /** The one existing resource that can be looked up is the stack itself, for its outputs as of the last run. */
    override async readResource(
        request: ReadResourceRequest,
        callback: Callback<ReadResourceResponse | undefined>,
    ): Promise<void> {
        await this.answer(callback, request.getName(), () => {
            const [type, id] = [request.getType(), request.getId()];
            if (type !== "pulumi:pulumi:StackReference" || id !== this.stackName) {
                return Promise.reject(new Error(`the offline engine can't look up existing resources (${type} ${id})`));
            }
            const outputs = this.deployment.lastOutputs();
            const response = new resproto.ReadResourceResponse();
            response.setUrn(`${request.getParent()}::${type}::${request.getName()}`);
            response.setProperties(struct.Struct.fromJavaScript({ name: id, outputs, secretOutputNames: [] }));
            return Promise.resolve(response);
        });
    }

    override async invoke(
        request: ResourceInvokeRequest,
        callback: Callback<InvokeResponse | undefined>,
    ): Promise<void> {
        const token = request.getTok();
        await this.answer(callback, token, async () => {
            const provider = providerOf(token);
            if (!provider.invoke) {
                throw new Error(`the offline engine has no function ${token}`);
            }
            const inputs = plainProperties(request.getArgs()?.toJavaScript() ?? {});
            const response = new provproto.InvokeResponse();
            response.setReturn(struct.Struct.fromJavaScript(await provider.invoke(token, inputs)));
            return response;
        });
    }

    override supportsFeature(
        request: SupportsFeatureRequest,
        callback: Callback<{ readonly getHassupport: () => boolean }>,
    ): void {
        callback(null, { getHassupport: () => !MISSING.has(request.getId()) });
    }

    /** Whatever goes wrong stops the run; the SDK hears that the engine is gone, and leaves the reporting to it. */
    private async answer<Response>(
        callback: Callback<Response | undefined>,
        resource: string,
        work: () => Promise<Response>,
    ): Promise<void> {
        let response: Response;
        try {
            response = await work();
        } catch (error) {
            if (!(error instanceof Stopped)) {
                this.run.stop(resource, error instanceof Error ? error.message : String(error));
            }
            callback(new Stopped("the run was stopped"), undefined);
            return;
        }
        callback(null, response);
    }
}
