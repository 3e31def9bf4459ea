import type { JSX } from "preact";
import type { Item } from "../drawing/items";
import { State } from "./sign";
import { WORD } from "../drawing/measures";

/** What is chosen in the drawing: what it is, how it is, and the command that shows it in a terminal. */
export function Details({ item, stack }: { readonly item: Item; readonly stack: string }): JSX.Element {
    const command = commandFor(item.id, stack);
    return (
        <section aria-labelledby="chosen" aria-live="polite">
            <h2 id="chosen">Chosen</h2>
            <p>{item.label.replace(/, [a-z]+$/, "")}</p>
            <p>
                <State health={item.health}>{WORD[item.health]}</State>
            </p>
            {command === undefined ? null : <code class="block">{command}</code>}
        </section>
    );
}

/** A command line that shows the same by hand. */
export function commandFor(id: string, stack: string): string | undefined {
    const [kind = "", name = ""] = id.split(/:(.*)/s);
    const [first = "", second = ""] = name.split(/\/(.*)/s);
    const lab = (command: string): string => `scripts/lab ${command} --stack ${stack}`;
    switch (kind) {
        case "unit":
            return second.endsWith(" (pod)")
                ? `${lab("ssh")} ${first} -- ps -o pid,etime,args -C ${second.replace(" (pod)", "").slice(0, 15)}`
                : `${lab("ssh")} ${first} -- journalctl -u ${second} -n 20`;
        case "machine":
            return `${lab("kubectl")} describe node ${name}`;
        case "interface":
            return `${lab("ssh")} ${name} -- ip address`;
        case "route":
            return `${lab("ssh")} ${first} -- ip route show ${second}`;
        case "pod-bridge":
            return `${lab("ssh")} ${first} -- ip link show master ${second}`;
        case "pod":
            return `${lab("kubectl")} -n ${first} describe pod ${second}`;
        case "service":
            return `${lab("kubectl")} -n ${first} get endpointslices -l kubernetes.io/service-name=${second}`;
        case "api":
            return `${lab("kubectl")} get --raw '/readyz?verbose'`;
        case "bridge":
            return "ip link show type bridge";
        default:
            return undefined;
    }
}
