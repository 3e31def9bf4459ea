import { Estimate, renderRemaining } from "../../../scripts/parts/build/estimate";

/** An estimate and a clock in seconds. */
function estimated(): { readonly estimate: Estimate; readonly pass: (seconds: number) => void } {
    let now = 0;
    const estimate = new Estimate({ small: 100, large: 400 }, 2, () => now * 1000);
    return { estimate, pass: (seconds) => (now += seconds) };
}

test("before anything is finished, all cores are taken to work", () => {
    const { estimate, pass } = estimated();
    expect(estimate.remaining()).toBe(250);
    estimate.begin("small");
    pass(20);
    expect(estimate.remaining()).toBe(230);
});

test("a machine that was slower with the first is taken to be slower with the next", () => {
    const { estimate, pass } = estimated();
    estimate.begin("small");
    pass(100);
    estimate.finish("small", false);
    estimate.begin("large");
    pass(100);
    expect(estimate.remaining()).toBe(300);
});

test("what was there already says nothing about the machine", () => {
    const { estimate, pass } = estimated();
    estimate.begin("small");
    pass(1);
    estimate.finish("small", true);
    expect(estimate.remaining()).toBe(200);
});

test("what is late is near its end, and at the end nothing is left", () => {
    const { estimate, pass } = estimated();
    estimate.finish("small", true);
    estimate.begin("large");
    pass(1000);
    expect(estimate.remaining()).toBe(20);
    estimate.finish("large", false);
    expect(estimate.remaining()).toBeUndefined();
});

test("minutes are enough for a person", () => {
    expect([20, 80, 400].map(renderRemaining)).toEqual([
        "less than a minute left",
        "about 1 min left",
        "about 7 min left",
    ]);
});
