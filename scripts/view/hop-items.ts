import type { Hop } from "../path/types";
import { idOf, type Machine, type Model } from "./model";

/**
 * The item of the drawing where a hop happens: as near as the drawing has it, else its machine.
 *
 * @returns undefined for what is in no drawing.
 */
export function itemOfHop(hop: Hop, model: Model): string | undefined {
    if (hop.place === "host-bridge") {
        return model.bridge === undefined ? idOf.host : idOf.bridge;
    }
    if (hop.machine === "here" || hop.machine === "outside") {
        return idOf.host;
    }
    const machine = model.machines.find(({ name }) => name === hop.machine);
    return machine === undefined ? undefined : (itemOnMachine(hop, machine, model) ?? idOf.machine(machine.name));
}

function itemOnMachine({ place, name, component }: Hop, machine: Machine, model: Model): string | undefined {
    switch (place) {
        case "pod": {
            const pod = model.pods.find(
                (each) => each.node === machine.name && name.split(/[\s/]/).includes(each.name),
            );
            return pod && idOf.pod(pod);
        }
        case "veth":
        case "bridge": {
            const bridge = machine.bridges.find((each) => each.name === name) ?? machine.bridges[0];
            return bridge && idOf.podBridge(machine.name, bridge.name);
        }
        case "route": {
            const route = machine.routes.find(({ destination }) => name.split(" ").includes(destination));
            return route && idOf.route(machine.name, route.destination);
        }
        case "process":
        case "rule":
        case "ipvs":
        case "routing-rule":
        case "dns": {
            const names = [component.replace(/\.service$/, ""), name];
            const unit = machine.units.find((each) => names.includes(each.name));
            return unit && idOf.unit(machine.name, unit.name);
        }
        case "interface":
        case "tunnel":
            return idOf.interface(machine.name);
        case "host-bridge":
        case "outside":
            return undefined;
    }
}
