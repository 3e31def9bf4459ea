import type { MachineFacts } from "../inspect/machine";
import type { Fault } from "./explanation";

/** CIDRs that a machine's CNI configuration gives addresses out of; empty where none is in the file that counts. */
export function networkRanges(machine: MachineFacts | undefined): string[] {
    const [first = ""] = Object.values(machine?.cni ?? {});
    return [...new Set([...first.matchAll(/"subnet"\s*:\s*"([\d./]+)"/g)].map(([, range = ""]) => range))];
}

/**
 * The fault where a configuration is there and containerd says that it has none: it reads the directory when a file in it is written or
 * removed, not when one is moved there.
 *
 * @param message what the kubelet says of the network.
 */
export function unreadFault(machine: MachineFacts | undefined, message: string): Fault | undefined {
    const [file] = Object.keys(machine?.cni ?? {});
    const name = machine?.node.name ?? "";
    return file === undefined || !/cni plugin not initialized|no network config found/.test(message)
        ? undefined
        : {
              responsible: "containerd",
              nodes: [name],
              summary: `${file} is there, and containerd of ${name} has not read it: it does so when a file is written there, not when one is moved there.`,
              said: [],
              next: [
                  {
                      command: "ssh",
                      words: [name, "--", "systemctl restart containerd"],
                      why: "reads it; containers run on",
                  },
                  { command: "ssh", words: [name, "--", `cat ${file}`], why: "the configuration" },
              ],
          };
}
