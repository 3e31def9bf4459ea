import type { MachineFacts } from "../inspect/machine";
import { portRules } from "../inspect/proxy-rules";
import type { ServicePort } from "../inspect/objects";
import type { Pod, Service } from "../inspect/snapshot";
import { ownAddress } from "./addresses";
import { done, type Explanation, failed, type Finding, follow, type Look, type Next, unknown } from "./explanation";
import { type Facts, machineOf, partOf } from "./facts";
import { podsOf } from "./gather";
import { isPodReady, podStages } from "./pod";
import { reached } from "./reach";
import { resourceName } from "./resource";
import { named, slicesFound } from "./service-endpoints";
import { rulesWritten } from "./service-rules";
import { selected } from "./service-selector";
import { serviceTargets } from "./targets";

/** The chain of a service: from its selector to an answer on every node. */
export function explainService(facts: Facts, service: Service): Explanation {
    const { type = "ClusterIP", clusterIP = "None", selector = {} } = service.spec;
    const pods = podsOf(service, facts.snapshot);
    const isRouted = type !== "ExternalName" && clusterIP !== "None";
    const hasPods = Object.keys(selector).length > 0 && type !== "ExternalName";
    const followed = follow([
        { stage: "admitted", responsible: "API server", find: () => admitted(service) },
        ...(hasPods
            ? [{ stage: "selects pods", responsible: "author", find: () => selected(facts, service, pods) } as const]
            : []),
        ...(hasPods ? podLooks(facts, pods) : []),
        ...(hasPods
            ? [
                  {
                      stage: "addresses of their own",
                      responsible: "pod network",
                      find: () => ownAddresses(facts, pods),
                  } as const,
              ]
            : []),
        ...(type === "ExternalName"
            ? []
            : [
                  {
                      stage: "EndpointSlices",
                      responsible: hasPods ? "controller manager" : "author",
                      find: () => slicesFound(facts, service, pods),
                  } as const,
              ]),
        ...(isRouted
            ? [
                  {
                      stage: "rules on every node",
                      responsible: "kube-proxy",
                      find: () => rulesWritten(facts, service),
                  } as const,
              ]
            : []),
        ...(hasPods
            ? [{ stage: "pods listen", responsible: "container", find: () => listening(facts, service, pods) } as const]
            : []),
        ...(hasPods
            ? [
                  {
                      stage: "pods reached from every node",
                      responsible: "pod network",
                      find: () => allReached(facts, pods),
                  } as const,
              ]
            : []),
        ...(isRouted
            ? [
                  {
                      stage: "answers on every node",
                      responsible: "kube-proxy",
                      find: () => answers(facts, service),
                  } as const,
              ]
            : []),
        { stage: "name", responsible: "cluster DNS", find: () => named(facts, service) },
    ]);
    return {
        resource: resourceName(service),
        namespace: service.metadata.namespace ?? "",
        summary:
            followed.fault?.summary ??
            (isRouted
                ? `It answers at ${clusterIP} on every node that could be asked.`
                : "Its name leads to what it should."),
        ...followed,
    };
}

function admitted({ spec, metadata, status }: Service): Finding {
    const { type = "ClusterIP", clusterIP, externalName, ports = [] } = spec;
    const list = ports.map(
        ({ name, port, protocol = "TCP", targetPort, nodePort }) =>
            `${name === undefined ? "" : `${name} `}${port}/${protocol} → ${targetPort ?? port}${nodePort === undefined ? "" : `, node port ${nodePort}`}`,
    );
    const outside =
        type === "LoadBalancer" && (status.loadBalancer?.ingress ?? []).length === 0
            ? ["no external address: kubelab runs no controller that would give it one"]
            : [];
    return done(
        `stored ${metadata.creationTimestamp}, ${type} ${externalName ?? clusterIP ?? ""}`,
        ...list,
        ...outside,
    );
}

/** Where no pod is ready: the chain of the first one. */
function podLooks(facts: Facts, pods: readonly Pod[]): Look[] {
    const bad = pods.filter((pod) => !isPodReady(pod));
    const [first] = bad;
    if (first !== undefined && bad.length === pods.length) {
        return podStages(facts, first)
            .filter(({ responsible }) => responsible !== "pod network")
            .map((look) => (look.stage === "admitted" ? { ...look, stage: `pod ${first.metadata.name}` } : look));
    }
    const late = bad.map(({ metadata }) => `${metadata.name} isn't: scripts/lab explain pod/${metadata.name}`);
    return [
        {
            stage: "pods ready",
            responsible: "container",
            find: () => done(`${pods.length - bad.length} of ${pods.length}`, ...late),
        },
    ];
}

function ownAddresses(facts: Facts, pods: readonly Pod[]): Finding {
    const ready = pods.filter((pod) => isPodReady(pod) && pod.spec.hostNetwork !== true);
    const findings = ready.map((pod) => ownAddress(facts, pod, pod.status.podIP ?? ""));
    return findings.find(({ state }) => state === "failed") ?? done(ready.map(({ status }) => status.podIP).join(", "));
}

/** The nodes' own connections to the pods that they have. */
function listening(facts: Facts, service: Service, pods: readonly Pod[]): Finding {
    const asked = pods.filter(isPodReady).flatMap((pod) => {
        const machine = machineOf(facts, pod.spec.nodeName ?? "");
        return (service.spec.ports ?? []).flatMap((port) => {
            const number = targetOf(port, pod);
            const answer = machine?.answers[`${pod.status.podIP}:${number}`];
            return answer === undefined || number === undefined ? [] : [{ pod, number, answer }];
        });
    });
    const deaf = asked.find(({ answer }) => answer === "refused");
    const lines = asked.map(({ pod, number, answer }) => `${pod.metadata.name} on its node, port ${number}: ${answer}`);
    if (deaf === undefined) {
        return asked.length === 0 ? unknown("no TCP port that could be asked") : done(...lines);
    }
    const { namespace = "", name } = deaf.pod.metadata;
    return failed(lines, {
        responsible: "container",
        nodes: [deaf.pod.spec.nodeName ?? ""],
        summary: `The pod ${name} is ready, and nobody in it listens on port ${deaf.number}, which the service's targetPort says.`,
        said: [],
        next: [
            {
                command: "kubectl",
                words: ["-n", namespace, "get", "pod", name, "-o", "jsonpath={.spec.containers[*].ports}"],
                why: "ports that the pod declares",
            },
            {
                command: "kubectl",
                words: ["-n", namespace, "logs", name, "--all-containers", "--tail=20"],
                why: "what it says of its port",
            },
        ],
    });
}

function targetOf({ port, targetPort = port }: ServicePort, { spec }: Pod): number | undefined {
    return typeof targetPort === "number"
        ? targetPort
        : spec.containers.flatMap(({ ports = [] }) => ports).find(({ name }) => name === targetPort)?.containerPort;
}

function allReached(facts: Facts, pods: readonly Pod[]): Finding {
    const findings = pods.filter(isPodReady).flatMap((pod) => {
        const finding = reached(facts, pod);
        return finding === undefined ? [] : [{ pod, finding }];
    });
    const bad = findings.filter(({ finding }) => finding.state === "failed");
    // Packets that were lost say more than rules that would drop some.
    const lost = bad.find(({ finding }) => finding.evidence.some((line) => /: (timeout|unreachable)$/.test(line)));
    const [worst = lost] = lost === undefined ? bad : [lost];
    if (worst !== undefined) {
        return worst.finding;
    }
    const vague = findings.find(({ finding }) => finding.state === "unknown");
    return vague?.finding ?? done(...findings.flatMap(({ finding }) => finding.evidence));
}

function answers(facts: Facts, service: Service): Finding {
    const targets = serviceTargets(service);
    const machines = facts.machines.filter(({ problem }) => problem === undefined);
    const asked = machines.flatMap((machine) =>
        targets.map((target) => ({ machine, target, answer: machine.answers[target] ?? "timeout" })),
    );
    const lines = asked.map(({ machine, target, answer }) => `${machine.node.name} → ${target}: ${answer}`);
    const bad = asked.filter(({ answer }) => answer !== "open");
    const [first] = bad;
    if (first === undefined) {
        return asked.length === 0 ? unknown("no TCP port that could be asked") : done(...lines);
    }
    const rules = portRules(first.machine, service.spec.clusterIP ?? "", Number(first.target.split(":")[1]), "tcp");
    const { name } = first.machine.node;
    return failed([...lines, `rules of ${name} (${rules.form ?? "none"}): ${rules.endpoints.join(", ")}`], {
        responsible: "pod network",
        nodes: [...new Set(bad.map(({ machine }) => machine.node.name))],
        summary: `${first.target} doesn't answer on ${name} (${first.answer}), though its rules lead to pods that answer.`,
        said: [],
        next: [
            { command: "ssh", words: [name, "--", `curl -sS --max-time 3 http://${first.target}/`], why: "asks again" },
            ...proxyNext(first.machine),
        ],
    });
}

function proxyNext(machine: MachineFacts): Next[] {
    return partOf(machine, "kube-proxy") === undefined
        ? []
        : [
              {
                  command: "ssh",
                  words: [machine.node.name, "--", "journalctl -u kube-proxy -n 50"],
                  why: "kube-proxy's log",
              },
          ];
}
