import { type Check, modeCheck, ownerCheck, reason, settingCheck } from "./check";

const KUBELET = "kubelet";
const UNIT = /^\/etc\/systemd\/system\/kubelet\.service$/;
/** A kubelet that has asked for its certificate wrote its kubeconfig itself. */
const KUBECONFIG = /^(\/etc\/kubernetes\/kubelet\/kubelet\.conf|\/var\/lib\/kubelet\/kubeconfig)$/;
const CONFIG = /^\/etc\/kubernetes\/kubelet\/kubelet\.yaml$/;

const check = (id: string, text: string, find: Check["find"]): Check => ({ id, text, on: "all", find });
/** Of a flag or a file. */
const isTrue = (value: unknown): boolean => String(value) === "true";
const isFalse = (value: unknown): boolean => String(value) === "false";
const isUnset = (value: unknown): boolean => value === undefined;

const chains = settingCheck(KUBELET, "makeIPTablesUtilChains", (value) => isUnset(value) || isTrue(value));

/** Of workers and control planes, which run pods too. */
export const NODE_CHECKS: readonly Check[] = [
    check("4.1.1", "only root reads how the kubelet is run", modeCheck(UNIT, "600")),
    check("4.1.2", "root owns the kubelet's unit", ownerCheck(UNIT, "root:root")),
    check("4.1.5", "only its owner reads the kubelet's kubeconfig", modeCheck(KUBECONFIG, "600")),
    check("4.1.6", "root owns the kubelet's kubeconfig", ownerCheck(KUBECONFIG, "root:root")),
    check("4.1.9", "only its owner reads the kubelet's configuration", modeCheck(CONFIG, "600")),
    check("4.1.10", "root owns the kubelet's configuration", ownerCheck(CONFIG, "root:root")),
    check(
        "4.2.1",
        "the kubelet refuses anonymous requests",
        settingCheck(KUBELET, "authentication.anonymous.enabled", isFalse, "anonymous-auth"),
    ),
    check(
        "4.2.2",
        "the kubelet doesn't allow every request",
        settingCheck(KUBELET, "authorization.mode", (value) => value === "Webhook", "authorization-mode"),
    ),
    check(
        "4.2.3",
        "the kubelet checks client certificates",
        settingCheck(KUBELET, "authentication.x509.clientCAFile", (value) => !isUnset(value), "client-ca-file"),
    ),
    check("4.2.6", "the kubelet writes the rules that its services need", (facts, cluster) => {
        const found = chains(facts);
        return found.state === "fail" && cluster.podNetwork === "kubenet"
            ? reason("kubenet's own rules drop what those would: docs/networking.md")
            : found;
    }),
    check(
        "4.2.10",
        "the kubelet may renew its client certificate",
        settingCheck(KUBELET, "rotateCertificates", (value) => !isFalse(value), "rotate-certificates"),
    ),
    check(
        "4.3.1",
        "kube-proxy's metrics are on loopback",
        settingCheck(
            "kube-proxy",
            "metricsBindAddress",
            (value) => isUnset(value) || /^127\.0\.0\.1(:|$)/.test(String(value)),
            "metrics-bind-address",
        ),
    ),
];
