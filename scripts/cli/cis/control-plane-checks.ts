import { items } from "../../../components/steps/flag-rules";
import {
    type Check,
    fail,
    type Finding,
    flagCheck,
    flagsSet,
    modeCheck,
    ownerCheck,
    ownUsersFile,
    reason,
    settingCheck,
} from "./check";
import type { Facts } from "./facts";

const API = "kube-apiserver";
const MANAGER = "kube-controller-manager";
const SCHEDULER = "kube-scheduler";

/** The unit of a process, or its static pod. */
const definition = (name: string): RegExp =>
    new RegExp(`^(/etc/systemd/system/${name}\\.service|/etc/kubernetes/manifests/${name}\\.yaml)$`);
const check = (id: string, text: string, find: Check["find"]): Check => ({ id, text, on: "control-plane", find });
const has = (item: string) => (value: string | undefined) => items(value ?? "").includes(item);
const hasNot = (item: string) => (value: string | undefined) => !items(value ?? "").includes(item);
const atLeast = (least: number) => (value: string | undefined) => Number(value ?? 0) >= least;
const is = (wanted: string) => (value: string | undefined) => value === wanted;
const isNot = (wrong: string) => (value: string | undefined) => value !== wrong;
const isLoopback = (value: string | undefined): boolean => value === undefined || value === "127.0.0.1";

/** Of keys and certificates: processes aren't root, so that keys are their own users'. */
function pkiOwners(facts: Facts): Finding {
    const keys = modeCheck(/\.key$/, "600")(facts);
    const owned = facts.files
        .filter(({ path }) => /\.(key|crt)$/.test(path))
        .filter(({ path, owner }) => {
            const process = path.split("/").at(-2) ?? "";
            return owner !== "root:root" && owner !== `${process}:${process}`;
        })
        .map(({ path, owner }) => `${path}: owner ${owner}`);
    if (keys.state !== "pass") {
        return keys;
    }
    return owned.length > 0
        ? fail(owned.join("; "))
        : reason("processes aren't root: each one's own user has its keys, for nobody else to read");
}

const FILES: readonly Check[] = [
    ...[API, MANAGER, SCHEDULER, "etcd"].flatMap((name, index) => [
        check(`1.1.${2 * index + 1}`, `only root reads how ${name} is run`, modeCheck(definition(name), "600")),
        check(
            `1.1.${2 * index + 2}`,
            `root owns the file that says how ${name} is run`,
            ownerCheck(definition(name), "root:root"),
        ),
    ]),
    check("1.1.11", "only etcd's user gets at etcd's data", modeCheck(/^\/var\/lib\/etcd$/, "700")),
    check("1.1.12", "etcd's user owns etcd's data", ownerCheck(/^\/var\/lib\/etcd$/, "etcd:etcd")),
    check("1.1.13", "only its owner reads an administrator's kubeconfig", modeCheck(/\/(super-)?admin\.conf$/, "600")),
    check("1.1.14", "root owns an administrator's kubeconfig", ownerCheck(/\/(super-)?admin\.conf$/, "root:root")),
    check("1.1.15", "only its owner reads the scheduler's kubeconfig", modeCheck(/\/kube-scheduler\.conf$/, "600")),
    check("1.1.16", "root owns the scheduler's kubeconfig", ownUsersFile(/\/kube-scheduler\.conf$/, SCHEDULER)),
    check(
        "1.1.17",
        "only its owner reads the controller manager's kubeconfig",
        modeCheck(/\/kube-controller-manager\.conf$/, "600"),
    ),
    check(
        "1.1.18",
        "root owns the controller manager's kubeconfig",
        ownUsersFile(/\/kube-controller-manager\.conf$/, MANAGER),
    ),
    check("1.1.19", "root owns keys and certificates", pkiOwners),
];

const API_SERVER: readonly Check[] = [
    check(
        "1.2.2",
        "the API server takes no tokens from a file",
        flagCheck(API, "token-auth-file", (value) => value === undefined),
    ),
    check(
        "1.2.4",
        "the API server has a certificate for kubelets",
        flagsSet(API, "kubelet-client-certificate", "kubelet-client-key"),
    ),
    check("1.2.5", "the API server checks who a kubelet is", flagsSet(API, "kubelet-certificate-authority")),
    check(
        "1.2.6",
        "not every request is allowed",
        flagCheck(API, "authorization-mode", (value) => value !== undefined && hasNot("AlwaysAllow")(value)),
    ),
    check("1.2.7", "a node reads only what its pods need", flagCheck(API, "authorization-mode", has("Node"))),
    check("1.2.8", "rights come from roles", flagCheck(API, "authorization-mode", has("RBAC"))),
    check("1.2.10", "not every object is admitted", flagCheck(API, "enable-admission-plugins", hasNot("AlwaysAdmit"))),
    check(
        "1.2.12",
        "pods have a service account",
        flagCheck(API, "disable-admission-plugins", hasNot("ServiceAccount")),
    ),
    check(
        "1.2.13",
        "nothing is made in a namespace that ends",
        flagCheck(API, "disable-admission-plugins", hasNot("NamespaceLifecycle")),
    ),
    check(
        "1.2.14",
        "a kubelet changes only its own node and pods",
        flagCheck(API, "enable-admission-plugins", has("NodeRestriction")),
    ),
    check("1.2.15", "the API server serves no profiles", flagCheck(API, "profiling", is("false"))),
    check("1.2.16", "there is an audit log", flagsSet(API, "audit-log-path")),
    check("1.2.17", "the audit log is kept for 30 days", flagCheck(API, "audit-log-maxage", atLeast(30))),
    check("1.2.18", "ten former files of the audit log are kept", flagCheck(API, "audit-log-maxbackup", atLeast(10))),
    check("1.2.19", "a file of the audit log has up to 100 MB", flagCheck(API, "audit-log-maxsize", atLeast(100))),
    check(
        "1.2.21",
        "tokens of deleted service accounts are refused",
        flagCheck(API, "service-account-lookup", isNot("false")),
    ),
    check(
        "1.2.22",
        "the API server has the key that tokens are checked with",
        flagsSet(API, "service-account-key-file"),
    ),
    check("1.2.23", "the API server has a certificate for etcd", flagsSet(API, "etcd-certfile", "etcd-keyfile")),
    check("1.2.24", "the API server serves TLS", flagsSet(API, "tls-cert-file", "tls-private-key-file")),
    check("1.2.25", "the API server checks client certificates", flagsSet(API, "client-ca-file")),
    check("1.2.26", "the API server checks who etcd is", flagsSet(API, "etcd-cafile")),
    check(
        "1.2.30",
        "a pod's token isn't extended to a year",
        flagCheck(API, "service-account-extend-token-expiration", is("false")),
    ),
];

const OTHERS: readonly Check[] = [
    check("1.3.2", "the controller manager serves no profiles", flagCheck(MANAGER, "profiling", is("false"))),
    check(
        "1.3.3",
        "each controller has rights of its own",
        flagCheck(MANAGER, "use-service-account-credentials", is("true")),
    ),
    check(
        "1.3.4",
        "the controller manager has the key that tokens are signed with",
        flagsSet(MANAGER, "service-account-private-key-file"),
    ),
    check("1.3.5", "pods get the cluster's authority", flagsSet(MANAGER, "root-ca-file")),
    check(
        "1.3.6",
        "kubelets' serving certificates may rotate",
        flagCheck(MANAGER, "feature-gates", hasNot("RotateKubeletServerCertificate=false")),
    ),
    check("1.3.7", "the controller manager listens on loopback", flagCheck(MANAGER, "bind-address", isLoopback)),
    check(
        "1.4.1",
        "the scheduler serves no profiles",
        settingCheck(SCHEDULER, "enableProfiling", (value) => value === false),
    ),
    check("1.4.2", "the scheduler listens on loopback", flagCheck(SCHEDULER, "bind-address", isLoopback)),
    check("2.1", "etcd serves TLS", flagsSet("etcd", "cert-file", "key-file")),
    check("2.2", "etcd checks client certificates", flagCheck("etcd", "client-cert-auth", is("true"))),
    check("2.3", "etcd has no certificate that it signed itself", flagCheck("etcd", "auto-tls", isNot("true"))),
    check("2.4", "etcd serves TLS to other members", flagsSet("etcd", "peer-cert-file", "peer-key-file")),
    check("2.5", "etcd checks certificates of other members", flagCheck("etcd", "peer-client-cert-auth", is("true"))),
    check(
        "2.6",
        "etcd has no peer certificate that it signed itself",
        flagCheck("etcd", "peer-auto-tls", isNot("true")),
    ),
];

export const CONTROL_PLANE_CHECKS: readonly Check[] = [...FILES, ...API_SERVER, ...OTHERS];
