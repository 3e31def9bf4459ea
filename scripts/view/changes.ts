import { type Change, type Health, idOf, type Model } from "./model";

/** Something that has a state, under the id of its element in the drawing. */
export interface Subject {
    readonly what: string;
    readonly state: string;
    readonly health: Health;
    /** When it came into this state, where that is recorded; ISO 8601. */
    readonly since?: string;
    readonly isNetwork?: boolean;
}

/** What was last known of everything, by id. */
export type Known = ReadonlyMap<string, Subject>;

/**
 * What changed since something was last known, in the order in which it happened: a unit's time is what systemd has
 * recorded, all other times are when the change was seen. What can't be known now stays as it was known last.
 *
 * @param known undefined at the first look, which changes nothing.
 * @param now ISO 8601.
 */
export function changesSince(
    known: Known | undefined,
    model: Model,
    now: string,
): { readonly changes: Change[]; readonly known: Known } {
    const current = subjects(model);
    const next = new Map([...current].map(([id, subject]) => [id, lastKnown(known?.get(id), subject)]));
    if (known === undefined) {
        return { changes: [], known: next };
    }
    const changed = [...next].flatMap(([id, subject]) => {
        const old = known.get(id);
        return old?.state === subject.state ? [] : [changeOf(id, old?.state ?? "new", subject, now)];
    });
    const gone = [...known]
        .filter(([id]) => !next.has(id))
        .map(([id, old]) => ({ ...changeOf(id, old.state, old, now), time: now, to: "gone", ...healthOfGone(old) }));
    const changes = [...changed, ...gone].sort((one, other) => one.time.localeCompare(other.time));
    return { changes, known: next };
}

function lastKnown(old: Subject | undefined, current: Subject): Subject {
    return current.health === "unknown" && old !== undefined ? old : current;
}

function changeOf(subject: string, from: string, { what, state, health, since }: Subject, now: string): Change {
    return { time: since ?? now, subject, what, from, to: state, health };
}

/** A route or a bridge that is gone is missed; a pod goes as it came. */
function healthOfGone({ isNetwork = false }: Subject): { readonly health: Health } {
    return { health: isNetwork ? "bad" : "off" };
}

/** Everything that has a state, in the order in which it is shown when it changes at once. */
function subjects(model: Model): ReadonlyMap<string, Subject> {
    const all: [string, Subject][] = [
        ...model.machines.flatMap((machine): [string, Subject][] => [
            [idOf.machine(machine.name), { what: `machine ${machine.name}`, ...picked(machine) }],
            ...machine.units.map((unit): [string, Subject] => [
                idOf.unit(machine.name, unit.name),
                { what: `${unit.name} on ${machine.name}`, ...picked(unit) },
            ]),
        ]),
        ...(model.bridge === undefined
            ? []
            : [
                  [
                      idOf.bridge,
                      {
                          what: `bridge ${model.bridge.name}`,
                          state: model.bridge.health === "good" ? "there" : "not there",
                          health: model.bridge.health,
                      },
                  ] satisfies [string, Subject],
              ]),
        ...model.machines.flatMap((machine) => routesOf(machine)),
        [idOf.api, { what: "API server", ...picked(model.api) }],
        ...model.machines.map(({ name, node }): [string, Subject] => [
            `node:${name}`,
            {
                what: `node ${name}`,
                state: node.cordoned ? `${node.state}, cordoned` : node.state,
                health: node.health,
            },
        ]),
        ...model.pods.map((pod): [string, Subject] => [
            idOf.pod(pod),
            { what: `pod ${pod.namespace}/${pod.name}`, ...picked(pod) },
        ]),
        ...model.services.map((service): [string, Subject] => [
            idOf.service(service),
            { what: `service ${service.namespace}/${service.name}`, ...picked(service) },
        ]),
    ];
    return new Map(all);
}

function picked({ state, health, since }: Omit<Subject, "what">): Omit<Subject, "what"> {
    return { state, health, ...(since === undefined ? {} : { since }) };
}

function routesOf({ name, health, routes }: Model["machines"][number]): [string, Subject][] {
    return routes
        .filter(({ destination }) => destination.includes("/"))
        .map(({ destination, via, device }) => [
            idOf.route(name, destination),
            {
                what: `route ${destination} on ${name}`,
                state: via === undefined ? `dev ${device}` : `via ${via}`,
                health: health === "good" ? "good" : "unknown",
                isNetwork: true,
            },
        ]);
}
