/** How the tests of a file have gone so far; StoryEnvironment keeps it. */
export interface Story {
    failed: boolean;
    /** Nothing that comes later can go well: the tests that are left are skipped. */
    stopped: boolean;
}

function current(): Story | undefined {
    return (globalThis as { readonly story?: Story }).story;
}

/** Why labs can't run here, or undefined when they can: tests that need one are skipped with this reason. */
function noLabsHere(): string | undefined {
    if (process.platform !== "linux") {
        return `local machines need Linux, this is ${process.platform}`;
    }
    return process.getuid?.() === 0 ? undefined : "local machines need root";
}

/**
 * Tests that tell what one lab goes through, one after the other; skipped with the reason where no lab can run.
 *
 * @param notHere a further reason why this one can't run here.
 */
export function story(title: string, tests: () => void, notHere?: string): void {
    const reason = noLabsHere() ?? notHere;
    const tell = reason === undefined ? describe : describe.skip;
    tell(`${title}${reason === undefined ? "" : ` (skipped: ${reason})`}`, tests);
}

/** A bring-up has failed: the tests after this one would find no cluster, and each would wait for it. */
export function stopStory(): void {
    const tests = current();
    if (tests !== undefined) {
        tests.stopped = true;
    }
}

/** Whether what a test has made stays, to be looked at: a test has failed, and KUBELAB_KEEP=failure asks for that. */
export function keepsForInspection(): boolean {
    return process.env["KUBELAB_KEEP"] === "failure" && current()?.failed === true;
}
