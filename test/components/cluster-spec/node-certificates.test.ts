import { asksForCertificates } from "../../../components/cluster-spec/node-certificates";
import { problemsOf, specOf } from "./support";

const WITHOUT = { scheduler: false, controllerManager: false, kubeProxy: false, dns: false };
const STATIC = { hosting: "static-pods", network: "bridge", workers: 0 };

test("kubelets ask for their certificates, except where nobody could sign them", () => {
    expect(specOf({}).nodeCertificates).toBe("bootstrap");
    expect(specOf({ nodeCertificates: "issued" }).nodeCertificates).toBe("issued");
    expect(specOf(STATIC).nodeCertificates).toBe("issued");
    expect(specOf({ components: WITHOUT }).nodeCertificates).toBe("issued");
});

test("it is refused to let them ask where nobody could sign", () => {
    expect(problemsOf({ ...STATIC, nodeCertificates: "bootstrap" })).toEqual([
        'kubelab:nodeCertificates: "bootstrap" can\'t be: the kubelet of the control plane runs the API server that it would have to ask; use "issued"',
    ]);
    expect(problemsOf({ components: WITHOUT, nodeCertificates: "bootstrap" })).toEqual([
        'kubelab:nodeCertificates: "bootstrap" can\'t be: the controller manager, which signs the certificates, is switched off; use "issued"',
    ]);
});

test("nothing of it is made while the bring-up has no kubelet", () => {
    expect(asksForCertificates(specOf({ stopAfter: "api-server" }))).toBe(false);
    expect(asksForCertificates(specOf({ stopAfter: "kubelet" }))).toBe(true);
});
