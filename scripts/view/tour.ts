import { specOfStack } from "../cli/spec-of-stack";
import type { Stack } from "../cli/stack";
import { typed } from "../cli/tour";
import { tourStops } from "../cli/tour/stops";
import type { TourAnswer } from "./contract";

/** The steps of a stack's tour, to be read beside a lab that is up; none where only the engine can read the stack's config. */
export function tourOf(stack: Stack): TourAnswer {
    const spec = specOfStack(stack, {});
    const steps = (spec === undefined ? [] : tourStops(spec)).map(({ step, added, looks, missing }) => ({
        step,
        added,
        looks: looks.map((look) => ({
            command: typed(stack, look, look.command),
            ...(look.why === undefined ? {} : { why: look.why }),
        })),
        ...(missing === undefined ? {} : { missing }),
    }));
    return { command: stack.command("tour"), steps };
}
