import { RunError } from "@pulumi/pulumi/errors";
import { InvalidConfig } from "../../../components/cluster-spec";
import { nearest } from "../../../components/cluster-spec/problems";
import { specOf } from "./support";

test("every problem is reported at once, one per line, in the order of the keys", () => {
    const raw = {
        workres: "3",
        local: '{"network":"8.8.8.0/24","registryPort":"none","registryport":5000}',
        podCidr: "10.0.0.1/16",
        network: "kubnet",
        serviceCidr: "10.32.0.0/30",
        clusterDomain: "Cluster.local",
    };
    const error = caught(() => specOf(raw));
    expect(error).toBeInstanceOf(InvalidConfig);
    expect((error as InvalidConfig).message).toBe(
        [
            'The config of stack "kubenet" has 8 problems:',
            '  kubelab:network: "kubnet" is not a known value; did you mean "kubenet"?',
            '  kubelab:podCidr: "10.0.0.1/16" has host bits set; did you mean 10.0.0.0/16?',
            '  kubelab:serviceCidr: "10.32.0.0/30" is too small to hold the DNS service\'s tenth address; use a /28 or larger',
            '  kubelab:clusterDomain: "Cluster.local" is not a DNS domain; did you mean "cluster.local"?',
            '  kubelab:local.network: "8.8.8.0/24" is not a private range; use one inside 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16',
            '  kubelab:local.registryPort: "none" is not a whole number; give one between 1 and 65535',
            '  kubelab:local.registryport: 5000 is not a known setting; did you mean "registryPort"?',
            "  kubelab:workres: is not a key of this project; did you mean kubelab:workers?",
        ].join("\n"),
    );
});

test("two ranges that overlap are reported beside a third that is wrong in itself", () => {
    const error = caught(() => specOf({ podCidr: "10.32.0.0/16", local: { network: "10.240.0.1/24" } }));
    expect((error as InvalidConfig).problems.map(({ key }) => key)).toEqual(["podCidr", "local.network"]);
});

test("Pulumi prints the problems without a stack trace", () => {
    expect(RunError.isInstance(caught(() => specOf({ network: "kubnet" })))).toBe(true);
});

test("a password in a URL is not repeated in the message", () => {
    const mirrors = { "docker.io": ["https://ann:secret@mirror.example"] };
    expect(String(caught(() => specOf({ registryMirrors: mirrors })))).not.toContain("secret");
});

test.each([
    ["podCIDR", "podCidr"],
    ["pod-cidr", "podCidr"],
    ["controlPlane", "controlPlanes"],
    ["worker", "workers"],
    ["stop_after", "stopAfter"],
    ["colour", undefined],
    ["", undefined],
])("%p stands for %p", (given, meant) => {
    const keys = ["podCidr", "serviceCidr", "controlPlanes", "workers", "stopAfter"];
    expect(nearest(given, keys)).toBe(meant);
});

function caught(action: () => unknown): unknown {
    try {
        action();
    } catch (error) {
        return error;
    }
    throw new Error("nothing was thrown");
}
