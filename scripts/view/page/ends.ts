import { idOf, type Model } from "../model";

/** Both ends of a path: ids of items, empty where none is chosen; and the port as it was typed. */
export interface Ends {
    readonly from: string;
    readonly to: string;
    readonly port: string;
}

export const NO_ENDS: Ends = { from: "", to: "", port: "" };

/** Of a machine, unless a person says another: the kubelet's. */
const PORT_OF_MACHINES = "10250";

export function canBeFrom(model: Model, id: string): boolean {
    return id === idOf.host || id.startsWith("machine:") || hasOwnAddress(model, id);
}

export function canBeTo(model: Model, id: string): boolean {
    const service = model.services.find((each) => idOf.service(each) === id);
    return (
        id.startsWith("machine:") || hasOwnAddress(model, id) || (service !== undefined && service.address !== "None")
    );
}

function hasOwnAddress(model: Model, id: string): boolean {
    const pod = model.pods.find((each) => idOf.pod(each) === id);
    return pod?.address !== undefined && !pod.hostNetwork;
}

/** What a click makes of the ends: the first chooses FROM, the second TO, a third begins anew. */
export function afterClick(model: Model, ends: Ends, id: string): Ends {
    if (ends.from !== "" && ends.to === "" && ends.from !== id && canBeTo(model, id)) {
        return { ...ends, to: id, port: portOf(model, id) };
    }
    return canBeFrom(model, id) ? { ...NO_ENDS, from: id } : ends;
}

/** The port that one would ask first: a service's first; a pod's, behind a service; of a machine, the kubelet's. */
export function portOf(model: Model, id: string): string {
    const service = model.services.find((each) => idOf.service(each) === id);
    const behind = model.services.find(({ endpoints }) => endpoints.some(({ pod }) => `pod:${pod}` === id));
    const [port = ""] = /^\d+/.exec(service?.ports[0] ?? "") ?? [];
    // Of `80→8080/TCP` the second one.
    const [, target = ""] = /(\d+)\/[A-Z]+$/.exec(behind?.ports[0] ?? "") ?? [];
    return id.startsWith("machine:") ? PORT_OF_MACHINES : port || target;
}

/** An end as `scripts/lab path` takes it: `here`, `pod/default/web-1`, `service/default/web:80`, `node/worker-1:10250`. */
export function asText(id: string, port = ""): string {
    const text = id === idOf.host ? "here" : id.replace(/^machine:/, "node/").replace(/^(pod|service):/, "$1/");
    return port.trim() === "" ? text : `${text}:${port.trim()}`;
}
