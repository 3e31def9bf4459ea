import { formatProblem, refuseImmutableChange, runningCluster } from "../../../components/cluster-spec";
import type { AuthorityName } from "../../../components/cluster-spec/authorities";
import { clusterGraph, find, inputsOf, needsBefore, REMOTE_STEP } from "../../support/graph";
import { testSpec } from "../../support/spec";

jest.setTimeout(60_000);

const specWith = (name: AuthorityName, numbers: readonly number[]) => testSpec({ authorities: { [name]: numbers } });

describe("numbers of an authority's keys", () => {
    const problems = (before: readonly number[], after: readonly number[]): string[] =>
        refuseImmutableChange(runningCluster(specWith("etcd-ca", before)), specWith("etcd-ca", after)).map(
            formatProblem,
        );

    test("change in three runs, and back", () => {
        const steps = [[1], [1, 2], [2, 1], [2], [2, 3], [2]];
        steps.slice(1).forEach((after, index) => {
            expect(problems(steps[index] ?? [], after)).toEqual([]);
            expect(problems(after, after)).toEqual([]);
        });
    });

    test("that nothing trusts yet, or that all in use is signed by, are refused", () => {
        expect(problems([1], [2, 1])).toEqual([
            "kubelab:authorities.etcd-ca: [2,1] begins with 2, which nothing trusts yet; set [1, 2] and run 'up' first",
        ]);
        expect(problems([1, 2], [2])).toEqual([
            "kubelab:authorities.etcd-ca: [2] lacks 1, which has signed all that is in use; set [2, 1] and run 'up' first",
        ]);
    });

    test.each([[[]], [[1, 1]], [[0]], [[1, 2, 3]], ["2"]])("%j is no list of them", (numbers) => {
        expect(() => testSpec({ authorities: { "etcd-ca": numbers } })).toThrow("kubelab:authorities.etcd-ca");
    });
});

describe("while a key is replaced", () => {
    const SIGNED = "tls:index/selfSignedCert:SelfSignedCert";
    const names = async (numbers: readonly number[]): Promise<string[]> => {
        const graph = await clusterGraph(specWith("kubernetes-ca", numbers));
        return graph.resources
            .filter(({ type, name }) => type === SIGNED && name.includes("kubernetes"))
            .map(({ name }) => name);
    };

    test("each has a name of its own, whichever signs", async () => {
        expect(await names([1])).toEqual(["kubernetes-ca"]);
        expect(await names([1, 2])).toEqual(["kubernetes-ca", "kubernetes-ca-2"]);
        expect(await names([2, 1])).toEqual(["kubernetes-ca", "kubernetes-ca-2"]);
        expect(await names([2])).toEqual(["kubernetes-ca-2"]);
    });

    test("kubelets ask for certificates again once all controllers sign with the new one, and only then", async () => {
        const spec = testSpec({ workers: 1, controlPlanes: 3, authorities: { "kubernetes-ca": [2, 1] } });
        const running = spec.nodes.map(({ name }) => name);
        const waits = async (signsAnew: boolean): Promise<boolean[]> => {
            const graph = await clusterGraph(spec, { running, signsAnew, partsRun: "run", rolledOut: "run" });
            const secrets = find(graph, REMOTE_STEP, "worker-1-kubelet-secrets");
            expect(inputsOf(secrets).stdin).toContain("kubernetes-ca 2");
            return spec.controlPlanes.map(({ name }) =>
                needsBefore(graph, secrets, find(graph, REMOTE_STEP, `${name}-kube-controller-manager`)),
            );
        };
        expect(await waits(true)).toEqual([true, true, true]);
        expect(await waits(false)).toEqual([false, false, false]);
    });
});

test("control planes of a running cluster restart one after another", async () => {
    const spec = testSpec({ controlPlanes: 3, workers: 1 });
    const inOrder = async (running: readonly string[]): Promise<boolean[]> => {
        const graph = await clusterGraph(spec, { running, partsRun: "run", rolledOut: "run" });
        const stepNamed = (name: string) => find(graph, REMOTE_STEP, name);
        return ["etcd", "kube-apiserver-secrets", "kube-apiserver", "kube-controller-manager-secrets"].map((what) =>
            needsBefore(graph, stepNamed(`cp-3-${what}`), stepNamed("cp-2-kube-apiserver")),
        );
    };
    expect(await inOrder(spec.nodes.map(({ name }) => name))).toEqual([true, true, true, true]);
    expect(await inOrder([])).toEqual([false, false, false, false]);
});
