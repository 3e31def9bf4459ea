import type { Lab } from "./lab";

/** A pod with curl that asks a URL ten times a second, and notes of each question whether it was answered. */
export function askingPod(node: string, name: string, url: string, labels: Readonly<Record<string, string>>): object {
    // A packet that gets lost comes again after a second: a connection that takes longer has lost one.
    const question = `curl -s --connect-timeout 0.9 --max-time 5 -o /dev/null ${url}`;
    const command = ["sh", "-c", `while sleep 0.1; do if ${question}; then echo answered; else echo lost; fi; done`];
    return {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name, labels },
        spec: {
            nodeName: node,
            terminationGracePeriodSeconds: 0,
            containers: [{ name: "curl", image: "curlimages/curl", imagePullPolicy: "IfNotPresent", command }],
        },
    };
}

/** How many of an asking pod's questions were answered so far, and how many not. */
export interface Questions {
    readonly answered: number;
    readonly lost: number;
}

export function questions(lab: Lab, pod: string): Questions {
    const lines = lab.kubectl("logs", pod).trim().split("\n");
    const count = (what: string): number => lines.filter((line) => line === what).length;
    return { answered: count("answered"), lost: count("lost") };
}

/**
 * Names of the URLs that answer a pod with curl in its container `client`.
 *
 * @param pod its name; `name.namespace` where that isn't `default`.
 */
export function reached(lab: Lab, pod: string, urls: Readonly<Record<string, string>>): string[] {
    const [name = "", namespace = "default"] = pod.split(".");
    const names = Object.keys(urls);
    const ask = `for url; do curl -sk --connect-timeout 1 --max-time 3 -o /dev/null $url && echo yes || echo no; done`;
    const command = ["sh", "-c", ask, "ask", ...Object.values(urls)];
    const answers = lab
        .kubectl("-n", namespace, "exec", name, "-c", "client", "--", ...command)
        .trim()
        .split("\n");
    return names.filter((_, index) => answers[index] === "yes");
}
