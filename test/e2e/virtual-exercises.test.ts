import { solvedBothWays } from "../support/exercise";
import { story } from "../support/lab";
import { VirtualWorker } from "../support/virtual-worker";

story("an exercise that needs a machine with a kernel of its own", () => {
    let lab: VirtualWorker;

    beforeAll(() => {
        lab = new VirtualWorker("vm-exercise", "10.252.9.0/24");
        lab.up();
    }, 900_000);
    afterAll(() => {
        lab.remove();
    }, 120_000);

    solvedBothWays(() => lab, "back-from-repair", ["scripts/lab repair worker-1"]);
});
