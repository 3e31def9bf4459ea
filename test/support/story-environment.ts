import { TestEnvironment } from "jest-environment-node";
import type { Circus } from "@jest/types";
import type { Story } from "./story";

/** jest's environment of an end-to-end test file. It notes failures, and skips the tests that come after a failed bring-up. */
export default class StoryEnvironment extends TestEnvironment {
    private readonly story: Story = { failed: false, stopped: false };

    override async setup(): Promise<void> {
        await super.setup();
        (this.global as { story?: Story }).story = this.story;
    }

    handleTestEvent(event: Circus.Event): void {
        if (event.name === "test_fn_failure" || event.name === "hook_failure") {
            this.story.failed = true;
        } else if (event.name === "test_start" && this.story.stopped) {
            event.test.mode = "skip";
        }
    }
}
