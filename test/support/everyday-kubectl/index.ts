import { CHANGING } from "./changing";
import { LOOKING } from "./looking";
import { OBJECTS } from "./objects";

/** In this order: later ones need what earlier ones have made. */
export const EVERYDAY = [...LOOKING, ...OBJECTS, ...CHANGING];
