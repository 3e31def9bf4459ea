import { createHash } from "node:crypto";
import type {
    RegisterResourceOutputsRequest,
    RegisterResourceRequest,
    RegisterResourceResponse,
} from "@pulumi/pulumi/proto/resource_pb";
import * as pulumi from "@pulumi/pulumi";
import { setAllConfig } from "@pulumi/pulumi/runtime/config";
import { MockMonitor, type MockResourceArgs } from "@pulumi/pulumi/runtime/mocks";
import * as settings from "@pulumi/pulumi/runtime/settings";
import { runInPulumiStack } from "@pulumi/pulumi/runtime/stack";
import * as state from "@pulumi/pulumi/runtime/state";
import type { CreatedMachine } from "../../scripts/machines/contract";
import { filesForRole } from "../../components/steps/parts/files";
import { printedRequests } from "./machine-requests";
import { unwrap } from "./secrets";

/** One resource as the program asked for it. */
export interface Registration {
    readonly urn: string;
    readonly type: string;
    /** Without the cluster's name before it, where that is `test`; the URN has all of it. */
    readonly name: string;
    readonly custom: boolean;
    /** URN; empty for none. */
    readonly parent: string;
    /** URN; empty for none. */
    readonly deletedWith: string;
    /** URNs. */
    readonly dependencies: readonly string[];
    readonly deleteBeforeReplace: boolean;
    readonly ignoreChanges: readonly string[];
    readonly replaceOnChanges: readonly string[];
    readonly additionalSecretOutputs: readonly string[];
    /** URN and id of an explicit provider; empty for none. */
    readonly provider: string;
    readonly protect: boolean;
    /** URNs that it had before. */
    readonly aliases: readonly string[];
    /** As the engine gets them: secrets are wrapped, see `unwrap` and `withoutSecrets`. */
    readonly inputs: Properties;
}

export interface Run {
    readonly resources: readonly Registration[];
    /** Every value that came out of a resource as a secret, private keys above all. */
    readonly secrets: readonly string[];
    /** The stack's outputs, their secrets wrapped. */
    readonly outputs: Properties;
    /** What components registered as their outputs, by URN. */
    readonly componentOutputs: ReadonlyMap<string, Properties>;
}

export interface RunOptions {
    /** Stack config; keys without a namespace are kubelab's. */
    readonly config?: Readonly<Record<string, string>>;
    /** A first preview: no resource has any output yet. */
    readonly preview?: boolean;
    /** Names of machines that are others than in a run without. */
    readonly replaced?: readonly string[];
    /** What the local driver says that its machines are like; by default as an earlier version, nothing. */
    readonly machineFacts?: CreatedMachine["facts"];
    /** `Parts.run`; by default as an earlier version, none. */
    readonly partsRun?: string | undefined;
    /** The AMI that a look-up finds now, where that is another than `FIRST_AMI`. */
    readonly newestAmi?: string;
    /** What the stack put out when it ran last. */
    readonly lastOutputs?: Properties;
    /** Is told the name of each resource as it is registered. */
    readonly registered?: (name: string) => void;
}

export type Properties = Readonly<Record<string, unknown>>;

const CLUSTER = "test";

function shortName(name: string): string {
    return name.startsWith(`${CLUSTER}-`) ? name.slice(CLUSTER.length + 1) : name;
}

/** The name in a URN as `Registration` has it. */
export function shortNameOf(urn: string): string {
    return shortName(urn.split("::").at(-1) ?? "");
}

/** Digest of the parts that the mock answers with. */
const PARTS_DIGEST = "0123456789abcdef";

// Internal to the SDK, and not in its type declarations.
const { withLocalStorage } = state as unknown as { withLocalStorage: <T>(callback: () => T) => T };
const { waitForRPCs } = settings as unknown as { waitForRPCs: () => Promise<void> };

/**
 * Runs a program as the engine would, answers for every resource that it makes, and returns what it asked for.
 *
 * @throws what the program throws.
 */
export async function run(program: () => Properties | Promise<Properties>, options: RunOptions = {}): Promise<Run> {
    const { config = {}, preview = false } = options;
    // The SDK takes a stack trace per resource, which costs more than all the rest under a test runner's source maps.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    return withLocalStorage(async () => {
        const answers = new Answers(options);
        const monitor = new RecordingMonitor(answers, options.registered);
        // Turns on secrets, deletedWith and whatever else the engine supports.
        await pulumi.runtime.setMocks(answers, "kubelab", "test", preview, "organization");
        settings.setMockOptions(monitor, "kubelab", "test", preview, "organization");
        setAllConfig(
            Object.fromEntries(
                Object.entries(config).map(([key, value]) => [key.includes(":") ? key : `kubelab:${key}`, value]),
            ),
        );
        // The SDK would end the process of a program that throws.
        let failure: Error | undefined;
        await runInPulumiStack(async () => {
            try {
                return await program();
            } catch (error) {
                failure = error as Error;
                return {};
            }
        });
        await waitForRPCs();
        if (failure !== undefined) {
            throw failure;
        }
        const { registrations: resources, outputs, componentOutputs } = monitor;
        return { resources, secrets: [...answers.secrets], outputs, componentOutputs };
    }).finally(() => {
        Error.stackTraceLimit = stackTraceLimit;
    });
}

/** The SDK's own mock of the engine, which keeps of a request what its mocks don't get to see. */
class RecordingMonitor extends MockMonitor {
    readonly registrations: Registration[] = [];
    /** Of the stack. */
    outputs: Properties = {};
    readonly componentOutputs = new Map<string, Properties>();

    constructor(
        answers: Answers,
        private readonly registered: (name: string) => void = () => undefined,
    ) {
        super(answers);
    }

    override async registerResource(
        request: RegisterResourceRequest,
        callback: (error: unknown, response?: RegisterResourceResponse) => void,
    ): Promise<void> {
        this.registered(request.getName());
        const registration = {
            type: request.getType(),
            name: shortName(request.getName()),
            custom: request.getCustom(),
            parent: request.getParent(),
            deletedWith: request.getDeletedwith(),
            dependencies: request.getDependenciesList(),
            deleteBeforeReplace: request.getDeletebeforereplace(),
            ignoreChanges: request.getIgnorechangesList(),
            replaceOnChanges: request.getReplaceonchangesList(),
            additionalSecretOutputs: request.getAdditionalsecretoutputsList(),
            provider: request.getProvider(),
            protect: request.getProtect() ?? false,
            aliases: request.getAliasesList().map((alias) => alias.getUrn()),
            inputs: (request.getObject()?.toJavaScript() ?? {}) as Properties,
        };
        await super.registerResource(request, (error: unknown, response?: RegisterResourceResponse) => {
            this.registrations.push({ ...registration, urn: response?.getUrn() ?? "" });
            callback(error, response);
        });
    }

    override registerResourceOutputs(
        request: RegisterResourceOutputsRequest,
        callback: (error: unknown, response: unknown) => void,
    ): void {
        this.componentOutputs.set(request.getUrn(), request.getOutputs()?.toJavaScript() ?? {});
        if (request.getUrn().includes("::pulumi:pulumi:Stack::")) {
            this.outputs = request.getOutputs()?.toJavaScript() ?? {};
        }
        super.registerResourceOutputs(request, callback);
    }
}

/** What the providers would answer: the same for the same resource in every run, and recognizable. */
class Answers implements pulumi.runtime.Mocks {
    readonly secrets = new Set<string>();

    constructor(private readonly options: RunOptions) {}

    call(args: pulumi.runtime.MockCallArgs): Properties {
        if (args.token === "aws:ec2/getAmi:getAmi") {
            return { ...(args.inputs as Properties), id: this.options.newestAmi ?? FIRST_AMI };
        }
        throw new Error(`no answer for ${args.token}`);
    }

    async newResource(args: MockResourceArgs): Promise<{ id: string; state: Properties }> {
        const inputs = unwrap(args.inputs) as Properties;
        const known = !this.options.preview || args.type === "pulumi:pulumi:StackReference";
        const outputs = known
            ? await this.outputs(args.type, shortName(args.name), inputs, args.inputs as Properties)
            : {};
        return { id: `${shortName(args.name)}-id`, state: { ...inputs, ...outputs } };
    }

    private outputs(
        type: string,
        name: string,
        inputs: Properties,
        wrapped: Properties,
    ): Properties | Promise<Properties> {
        switch (type) {
            case "tls:index/privateKey:PrivateKey":
                return {
                    privateKeyPem: this.secret(pem("EC PRIVATE KEY", `private key ${name}`)),
                    privateKeyOpenssh: this.secret(pem("OPENSSH PRIVATE KEY", `openssh key ${name}`)),
                    publicKeyPem: pem("PUBLIC KEY", `public key ${name}`),
                    publicKeyOpenssh: `ssh-ed25519 AAAA${digest(`openssh public key ${name}`)}\n`,
                };
            case "tls:index/selfSignedCert:SelfSignedCert":
            case "tls:index/locallySignedCert:LocallySignedCert":
                return { certPem: pem("CERTIFICATE", `certificate ${name}`) };
            case "tls:index/certRequest:CertRequest":
                return { certRequestPem: pem("CERTIFICATE REQUEST", `request ${name}`) };
            case "random:index/randomBytes:RandomBytes":
                return {
                    base64: this.secret(digest(`bytes ${name}`)),
                    hex: this.secret(createHash("sha256").update(`bytes ${name}`).digest("hex")),
                };
            case "random:index/randomId:RandomId":
                return { hex: createHash("sha256").update(name).digest("hex").slice(0, 32) };
            case "command:local:Command": {
                // An output is as secret as the input it comes from.
                const stdout = this.stdout(name, String(inputs["create"]));
                return { stdout: wrapped["stdin"] === inputs["stdin"] ? stdout : pulumi.secret(stdout) };
            }
            case "command:remote:Command":
                return this.answer(name, String(inputs["stdin"]));
            case "pulumi:index:Stash":
                return { output: inputs["input"] };
            case "aws:ec2/instance:Instance":
                return { publicIp: publicAddress(name), primaryNetworkInterfaceId: `eni-of-${name}` };
            case "aws:ec2/eip:Eip":
            case "aws:ec2/eipAssociation:EipAssociation":
                return { publicIp: publicAddress("api"), allocationId: "eipalloc-of-api" };
            case "aws:lb/loadBalancer:LoadBalancer":
                return { arn: `arn-of-${name}`, dnsName: "api-1234.elb.eu-central-1.amazonaws.com" };
            case "aws:lb/targetGroup:TargetGroup":
                return { arn: `arn-of-${name}` };
            case "aws:ec2/keyPair:KeyPair":
                return { keyName: `${name}-key-name` };
            case "pulumi:pulumi:StackReference":
                return { outputs: this.options.lastOutputs ?? {}, secretOutputNames: [] };
            default:
                return {};
        }
    }

    /** What a step on a machine prints. */
    private async answer(name: string, stdin: string): Promise<Properties> {
        if (name.endsWith("-keys")) {
            return { stdout: await printedRequests(name, stdin) };
        }
        if (name.endsWith("-kubelet-token")) {
            const text = digest(`token of ${name}`);
            return { stdout: this.secret(`${text.slice(0, 6)}.${text.slice(6, 22)}`) };
        }
        return { stdout: name.endsWith("-facts") ? JSON.stringify(CLOUD_FACTS) : "" };
    }

    private stdout(name: string, create: string): string {
        if (create.includes("scripts/parts/main.ts")) {
            const paths = new Set([...filesForRole("control-plane"), ...filesForRole("node")]);
            const files = Object.fromEntries(
                [...paths].map((path) => [path, createHash("sha256").update(path).digest("hex")]),
            );
            const sources = Object.entries(files).map(([path, sha256]) => [
                path,
                { fingerprint: sha256, sha256, url: `https://upstream.example/${path}` },
            ]);
            const { partsRun } = this.options;
            const all = { digest: PARTS_DIGEST, files, sources: Object.fromEntries(sources) as unknown, run: partsRun };
            return JSON.stringify(all);
        }
        if (create.includes(" machine ") || create.includes("scripts/hosts/main.ts claim")) {
            const { replaced, machineFacts } = this.options;
            return JSON.stringify({ id: machineId(name, replaced?.includes(name)), facts: machineFacts });
        }
        return "";
    }

    private secret(value: string): pulumi.Output<string> {
        this.secrets.add(value);
        return pulumi.secret(value);
    }
}

/** What an EC2 instance says of itself. */
export const CLOUD_FACTS = {
    cgroupDriver: "systemd",
    failCgroupV1: true,
    failSwapOn: true,
    restrictOomScoreAdj: false,
};

/** The AMI that a look-up finds. */
export const FIRST_AMI = "ami-0000000000000aaaa";

/** The public address that the mock gives an instance, or the Elastic IP `api`. */
export function publicAddress(name: string): string {
    return `203.0.113.${createHash("sha256").update(name).digest().readUInt8()}`;
}

/** The id that the mock gives a machine. */
export function machineId(name: string, replaced = false): string {
    return `${replaced ? "second" : "first"}-incarnation-of-${name}`;
}

function pem(label: string, subject: string): string {
    return `-----BEGIN ${label}-----\n${digest(subject)}\n-----END ${label}-----\n`;
}

function digest(text: string): string {
    return createHash("sha256").update(text).digest("base64");
}
